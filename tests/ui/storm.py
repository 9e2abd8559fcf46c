"""
storm.py URL CA INTEGRATION SECRET NUMBER RATE [SEVERITY]: so many alerts, so
many a second, one in each delivery, over some connections; prints what came
back as JSON.  A process of its own: it must not wait for the test's others.
"""
import json
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 16


def alert(k, severity):
    return json.dumps({
        "version": "4", "groupKey": "storm", "status": "firing",
        "receiver": "x", "alerts": [{
            "status": "firing", "startsAt": "2026-11-25T03:21:34Z",
            "labels": {"alertname": f"Storm{k}", "severity": severity,
                       "service": f"service-{k % 40}"},
            "annotations": {"summary": f"storm {k} is on us"}}]}).encode()


class Sender:
    def __init__(self, url, ca, path, secret):
        u = urlsplit(url)
        c = ssl.create_default_context(cafile=ca)
        s = socket.create_connection((u.hostname, u.port), timeout=30)
        self.s = c.wrap_socket(s, server_hostname="localhost")
        self.head = (f"POST {path} HTTP/1.1\r\nHost: {u.netloc}\r\n"
                     f"Authorization: Bearer {secret}\r\n"
                     "Content-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n")
        self.rest = b""

    def send(self, body):
        self.s.sendall((self.head % len(body)).encode() + body)
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        n = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(self.rest) < n:
            self.more()
        answer, self.rest = self.rest[:n], self.rest[n:]
        status = int(head.split()[1])
        return status, answer

    def more(self):
        d = self.s.recv(65536)
        if not d:
            raise ConnectionError("closed")
        self.rest += d


def main():
    url, ca, integration, secret, number, rate = sys.argv[1:7]
    severity = sys.argv[7] if len(sys.argv) > 7 else "info"
    number, rate = int(number), float(rate)
    bodies = [alert(k, severity) for k in range(number)]
    senders = [Sender(url, ca, "/ingest/" + integration, secret)
               for _ in range(CONNECTIONS)]
    ids, bad, lock = [], [], threading.Lock()
    start = time.perf_counter()

    def work(i):
        for k in range(i, number, CONNECTIONS):
            wait = start + k / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            status, answer = senders[i].send(bodies[k])
            with lock:
                if status == 202:
                    ids.append(answer)
                else:
                    bad.append(status)
    threads = [threading.Thread(target=work, args=(i,))
               for i in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    took = time.perf_counter() - start
    ids = [a["id"] for x in ids for a in json.loads(x)["receipt"]["alerts"]]
    print(json.dumps({"ids": ids, "bad": bad, "seconds": took}))


main()
