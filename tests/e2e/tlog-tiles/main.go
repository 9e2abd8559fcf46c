// tlog-tiles reads Redoubt's audit log over HTTPS with code of others:
// golang.org/x/mod/sumdb's tile reader, which believes no tile it has not
// proven, and transparency-dev/formats for cosignatures and proofs.
//
//	tlog-tiles URL CA KEY WITNESS
//
// The token is in $TOKEN.  Prints TAP.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strings"

	f_log "github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

var (
	client       *http.Client
	base, token  string
	tests, wrong int
)

func check(name string, err error) {
	tests++
	if err != nil {
		wrong++
		fmt.Printf("not ok %d - %s: %v\n", tests, name, err)
		return
	}
	fmt.Printf("ok %d - %s\n", tests, name)
}

func get(path string) ([]byte, error) {
	q, err := http.NewRequest("GET", base+path, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	r, err := client.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != 200 {
		err = fmt.Errorf("%s: %s: %s", path, r.Status, b)
	}
	return b, err
}

// tiles is a tlog.TileReader over the paths of C2SP tlog-tiles, which are
// those of sumdb without the height.
type tiles struct{ read int }

func (*tiles) Height() int                      { return height }
func (*tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, w := range want {
		b, err := get("/" + strings.Replace(w.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		t.read++
		out = append(out, b)
	}
	return out, nil
}

// entries reads a bundle of the tile of that index.
func entries(n int64, width int) ([][]byte, error) {
	p := tlog.Tile{H: height, L: -1, N: n, W: width}.Path()
	b, err := get("/" + strings.Replace(p, "tile/8/data/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(b) > 0 {
		k := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+k {
			return nil, fmt.Errorf("bundle %d is cut", n)
		}
		out = append(out, b[2:2+k])
		b = b[2+k:]
	}
	if len(out) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, want %d", n,
			len(out), width)
	}
	return out, nil
}

func all(tree tlog.Tree, r tlog.HashReader) error {
	var n int64
	for n < tree.N {
		leaves, err := entries(n/256, int(min(256, tree.N-n)))
		if err != nil {
			return err
		}
		var at []int64
		for i := range leaves {
			at = append(at, tlog.StoredHashIndex(0, n+int64(i)))
		}
		hashes, err := r.ReadHashes(at)
		if err != nil {
			return err
		}
		for i, l := range leaves {
			if tlog.RecordHash(l) != hashes[i] {
				return fmt.Errorf("entry %d is not in the log", n+int64(i)+1)
			}
		}
		n += int64(len(leaves))
	}
	return nil
}

func proofs(tree tlog.Tree, r tlog.HashReader) error {
	for i := 0; i < 50; i++ {
		old := 1 + rand.Int63n(tree.N)
		root, err := tlog.TreeHash(old, r)
		if err != nil {
			return err
		}
		p, err := tlog.ProveTree(tree.N, old, r)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(p, tree.N, tree.Hash, old, root); err != nil {
			return err
		}
	}
	return nil
}

func run(key, witness string) error {
	log, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	w, err := f_note.NewVerifierForCosignatureV1(witness)
	check("the witness's key", err)
	raw, err := get("/checkpoint")
	check("checkpoint", err)
	if err != nil || w == nil {
		return err
	}
	cp, _, n, err := f_log.ParseCheckpoint(raw, log.Name(), log, w)
	check("it is signed by the log", err)
	if err != nil {
		return err
	}
	err = fmt.Errorf("signatures: %v", n.Sigs)
	for _, s := range n.Sigs {
		if s.Name == w.Name() && s.Hash == w.KeyHash() {
			_, err = f_note.CoSigV1Timestamp(s)
		}
	}
	check("it is cosigned by the witness", err)
	tree := tlog.Tree{N: int64(cp.Size), Hash: tlog.Hash(cp.Hash)}
	t := &tiles{}
	r := tlog.TileHashReader(tree, t)
	check("every entry is in it", all(tree, r))
	check("it extends every tree it was", proofs(tree, r))
	fmt.Printf("# %d entries, %d tiles\n", tree.N, t.read)

	forged := tree
	forged.Hash[0] ^= 1
	_, err = tlog.TileHashReader(forged, t).ReadHashes([]int64{0})
	if err == nil {
		err = fmt.Errorf("another root was believed")
	} else {
		err = nil
	}
	check("tiles of another root are refused", err)
	return nil
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: tlog-tiles URL CA KEY WITNESS")
		os.Exit(2)
	}
	base, token = os.Args[1], os.Getenv("TOKEN")
	pem, err := os.ReadFile(os.Args[2])
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		fmt.Println("Bail out! no authorities")
		os.Exit(1)
	}
	client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if err := run(os.Args[3], os.Args[4]); err != nil {
		check("it can be read", err)
	}
	fmt.Printf("1..%d\n", tests)
	if wrong > 0 {
		os.Exit(1)
	}
}
