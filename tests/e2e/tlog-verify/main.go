// tlog-verify checks Redoubt's audit log with another implementation:
// golang.org/x/mod/sumdb, the one behind Go's checksum database.
//
//	tlog-verify EXPORT PROOFS
//
// EXPORT is a whole, unfiltered export of a log, PROOFS has a line for each
// claim: "root SIZE HASH", "inclusion INDEX SIZE HASH...", "consistency OLD
// NEW HASH...".  Prints TAP.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// store holds the hashes of the log as tlog numbers them.
type store []tlog.Hash

func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, i := range indexes {
		hashes = append(hashes, s[i])
	}
	return hashes, nil
}

type trailer struct {
	Checkpoint, Key string
}

var tests, failed int

func check(name string, err error) {
	tests++
	if err != nil {
		failed++
		fmt.Printf("not ok %d - %s: %v\n", tests, name, err)
		return
	}
	fmt.Printf("ok %d - %s\n", tests, name)
}

func read(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Println("Bail out!", err)
		os.Exit(1)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func leaves(lines []string) (store, int64, error) {
	var s store
	var n int64
	for _, line := range lines {
		if strings.HasPrefix(line, `{"hashes":`) {
			continue
		}
		hashes, err := tlog.StoredHashes(n, []byte(line), s)
		if err != nil {
			return nil, 0, err
		}
		s = append(s, hashes...)
		n++
	}
	return s, n, nil
}

func checkpoint(s store, n int64, t trailer) error {
	verifier, err := note.NewVerifier(t.Key)
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(t.Checkpoint), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(n, s)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("%s\n%d\n%s\n", verifier.Name(), n, root)
	if opened.Text != want {
		return fmt.Errorf("checkpoint says %q, want %q", opened.Text, want)
	}
	return nil
}

func parse(line string) (kind string, a, b int64, hashes []tlog.Hash, err error) {
	f := strings.Split(line, " ")
	kind, f = f[0], f[1:]
	numbers := []*int64{&a, &b}
	if kind == "root" {
		numbers = numbers[:1]
	}
	for _, p := range numbers {
		if *p, err = strconv.ParseInt(f[0], 10, 64); err != nil {
			return
		}
		f = f[1:]
	}
	for _, text := range f {
		raw, e := base64.StdEncoding.DecodeString(text)
		if e != nil || len(raw) != tlog.HashSize {
			return kind, a, b, nil, fmt.Errorf("hash %q", text)
		}
		hashes = append(hashes, tlog.Hash(raw))
	}
	return
}

// claim checks a proof and that this implementation makes the same one.
func claim(s store, line string) error {
	kind, a, b, hashes, err := parse(line)
	if err != nil {
		return err
	}
	var own []tlog.Hash
	switch kind {
	case "root":
		root, e := tlog.TreeHash(a, s)
		own, err = []tlog.Hash{root}, e
	case "inclusion":
		root, _ := tlog.TreeHash(b, s)
		leaf := s[tlog.StoredHashIndex(0, a)]
		if err = tlog.CheckRecord(hashes, b, root, a, leaf); err == nil {
			own, err = tlog.ProveRecord(b, a, s)
		}
	case "consistency":
		newer, _ := tlog.TreeHash(b, s)
		older, _ := tlog.TreeHash(a, s)
		if err = tlog.CheckTree(hashes, b, newer, a, older); err == nil {
			own, err = tlog.ProveTree(b, a, s)
		}
	default:
		err = fmt.Errorf("unknown claim")
	}
	if err == nil && !slices.Equal(own, hashes) {
		err = fmt.Errorf("another proof was expected")
	}
	return err
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog-verify EXPORT PROOFS")
		os.Exit(2)
	}
	lines := read(os.Args[1])
	var t trailer
	check("trailer", json.Unmarshal([]byte(lines[len(lines)-1]), &t))
	s, n, err := leaves(lines[:len(lines)-1])
	check("leaves", err)
	check("checkpoint", checkpoint(s, n, t))
	for _, line := range read(os.Args[2]) {
		f := strings.SplitN(line, " ", 4)
		check(strings.Join(f[:min(3, len(f))], " "), claim(s, line))
	}
	fmt.Printf("1..%d\n", tests)
	if failed > 0 {
		os.Exit(1)
	}
}
