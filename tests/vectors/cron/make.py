#!/usr/bin/env python3
"""
next.tsv: what another implementation of domain/cron.h's rules, on Python's
zoneinfo, says the next times of schedules are.

    tests/vectors/cron/make.py > tests/vectors/cron/next.tsv

It walks minutes of the clock and knows nothing of spans: a local minute
happens at its first time (fold 0) or, with hours *, at both; one that is
skipped happens where the skipped hour ends.
"""
import datetime as dt
import random
import zoneinfo

UTC = dt.timezone.utc
WORDS = {"month": "jan feb mar apr may jun jul aug sep oct nov dec".split(),
         "weekday": "sun mon tue wed thu fri sat".split()}
FIELDS = [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31),
          ("month", 1, 12), ("weekday", 0, 7)]


def values(text, name, low, high):
    out = set()
    for item in text.split(","):
        span, _, step = item.partition("/")

        def n(s):
            w = WORDS.get(name, [])
            return w.index(s) + low if s in w else int(s)
        if span == "*":
            a, b = low, high
        elif "-" in span:
            a, b = map(n, span.split("-"))
        else:
            a = b = n(span)
        out |= set(range(a, b + 1, int(step or 1)))
    return {0 if name == "weekday" and v == 7 else v for v in out}


class Cron:
    def __init__(self, text):
        self.f = text.split()
        self.v = [values(t, *f) for t, f in zip(self.f, FIELDS)]

    def day(self, d):
        dom = d.day in self.v[2]
        dow = (d.weekday() + 1) % 7 in self.v[4]
        if d.month not in self.v[3]:
            return False
        if self.f[2].startswith("*") or self.f[4].startswith("*"):
            return dom and dow
        return dom or dow

    def times(self, zone, start, count):
        """Instants after start (UTC), by day of the clock."""
        found, d = [], start.astimezone(zone).date() - dt.timedelta(2)
        hourly = self.f[1].startswith("*")
        for _ in range(30 * 366):
            if self.day(d):
                for h in sorted(self.v[1]):
                    for m in sorted(self.v[0]):
                        found += self.instants(
                            dt.datetime(d.year, d.month, d.day, h, m,
                                        tzinfo=zone), hourly)
            good = sorted({x for x in found if x > start})
            # a later day of the clock may begin before this one ends
            if len([x for x in good if x < dt.datetime(
                    d.year, d.month, d.day, tzinfo=UTC) -
                    dt.timedelta(1)]) >= count:
                return good[:count]
            d += dt.timedelta(1)
        return sorted({x for x in found if x > start})[:count]

    @staticmethod
    def instants(local, hourly):
        a = local.replace(fold=0).astimezone(UTC)
        b = local.replace(fold=1).astimezone(UTC)
        back = a.astimezone(local.tzinfo)
        if back.replace(tzinfo=None) == local.replace(tzinfo=None):
            return [a, b] if hourly and a != b else [a]
        if hourly:
            return []
        # skipped: a is after, b before the change; find it
        lo, hi = min(a, b), max(a, b)
        before = lo.astimezone(local.tzinfo).utcoffset()
        while hi - lo > dt.timedelta(seconds=1):
            mid = lo + (hi - lo) / 2
            mid = mid.replace(microsecond=0)
            if mid.astimezone(local.tzinfo).utcoffset() == before:
                lo = mid
            else:
                hi = mid
        return [hi]


CRONS = ["30 2 * * *", "*/20 1-3 * * *", "0 0 * * *", "15,45 * * * *",
         "0 3 * * sun", "59 23 31 * *", "30 0 1,15 * mon", "5 1 * mar,oct *",
         "0 12 29 2 *", "10 2 25-31 3,10 0", "0 */6 * * 1-5",
         "30 1 */2 * sat", "7 4 * 4,9 7"]


def main():
    rnd = random.Random(7)
    names = sorted(n for n in zoneinfo.available_timezones()
                   if n not in ("localtime", "posixrules", "Factory"))
    for i, name in enumerate(names):
        zone = zoneinfo.ZoneInfo(name)
        for _ in range(3):
            text = rnd.choice(CRONS)
            start = dt.datetime(rnd.choice((2025, 2026, 2027, 2029, 2031,
                                            2035, 2039, 2044, 2060)),
                                rnd.choice((1, 3, 3, 4, 9, 10, 10, 11)),
                                rnd.randint(1, 28), rnd.randint(0, 23),
                                rnd.randint(0, 59), tzinfo=UTC)
            out = Cron(text).times(zone, start, 12)
            print(name, text, int(start.timestamp()),
                  " ".join(str(int(x.timestamp())) for x in out), sep="\t")
    # each hour of the days around each change, where changes are odd
    for name in ("Africa/Casablanca", "America/Nuuk", "Asia/Gaza",
                 "Australia/Lord_Howe", "Antarctica/Troll", "Europe/Dublin",
                 "America/Santiago", "Africa/Cairo", "Asia/Beirut",
                 "Pacific/Easter", "Europe/Berlin", "America/New_York"):
        zone = zoneinfo.ZoneInfo(name)
        t = dt.datetime(2026, 1, 1, tzinfo=UTC)
        while t.year < 2029:
            n = t + dt.timedelta(hours=1)
            if n.astimezone(zone).utcoffset() != \
                    t.astimezone(zone).utcoffset():
                for text in ("*/15 0-4,22,23 * * *", "*/30 * * * *",
                             "20 1,2 * * *", "0 0,1,2,3 * * *"):
                    start = t - dt.timedelta(hours=5)
                    out = Cron(text).times(zone, start, 20)
                    print(name, text, int(start.timestamp()), " ".join(
                        str(int(x.timestamp())) for x in out), sep="\t")
            t = n


main()
