#!/usr/bin/env python3
"""Simulates a developer-tools company: events as CSV on stdout; the truth, the accounts and their messages in files.

Every account has an archetype and a hidden intent between 0 and 1. The intent drives what its people do, and,
separately, whether the account will buy. Nothing here knows the program, its points or its threshold, so precision and
recall mean something. The same arguments give the same bytes; only the standard library is used.

Events:  event_id, occurred_at, user_id, account_id, event, properties (JSON), received_at; in the order of arrival.
         Some arrive twice, and some late (a phone that was offline).
Truth:   account_id, will_buy, archetype, reason.
Accounts:  account_id, plan, employees.
Messages:  message_id, sent_at, user_id, account_id, channel, body; in the order in which they were sent.
"""
import argparse
import csv
import json
import math
import random
import sys
from collections import namedtuple
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 2, tzinfo=timezone.utc)  # a Monday
HOUR = 3600.0
DAY = 24 * HOUR

# share: of all accounts. intent: the two parameters of a beta distribution. people: fewest and most.
# rate: sessions per person and working day. fade: days in which activity halves; 0: never. pages: views per session.
# calls: API calls per session. errors: chance of an error per session. depth: how much gets built.
# curiosity: how often it looks at prices.
Archetype = namedtuple("Archetype", "share intent people rate fade pages calls errors depth curiosity")
ARCHETYPES = {
    "rollout":     Archetype(13, (8.0, 1.9), (4, 40), 0.60, 0, 2.6, 260, 0.05, 1.0, 0.5),
    "free_team":   Archetype(8, (2.0, 7.5), (6, 40), 0.75, 0, 2.8, 260, 0.05, 0.9, 0.3),
    "evaluator":   Archetype(7, (3.0, 5.5), (2, 14), 0.70, 0, 3.0, 150, 0.06, 0.8, 0.8),
    "soloist":     Archetype(20, (2.0, 9.0), (1, 2), 1.10, 0, 3.0, 180, 0.06, 0.6, 0.3),
    "tyre_kicker": Archetype(18, (1.5, 10.0), (1, 2), 1.10, 20, 9.0, 5, 0.01, 0.1, 1.8),
    "student":     Archetype(9, (1.0, 16.0), (1, 1), 0.30, 0, 4.0, 420, 0.10, 0.3, 0.1),
    "churning":    Archetype(15, (2.0, 7.5), (2, 10), 0.95, 4, 3.0, 90, 0.05, 0.6, 0.3),
    "stuck":       Archetype(10, (2.5, 7.0), (1, 8), 0.80, 9, 3.5, 40, 0.75, 0.5, 0.3),
}
BUYERS = ["rolls out to a second team", "has a security review before a wider roll-out", "replaces a tool of its own",
          "has a launch date that depends on it", "outgrew the free plan", "wants one contract for all its teams"]
OTHERS = {
    "rollout": ["budget frozen until next year", "the champion left", "chose a competitor after the trial"],
    "free_team": ["an open-source project", "a community without a budget", "a non-profit, happy on the free plan"],
    "evaluator": ["compares tools for a report", "will build it in-house", "has no budget owner yet"],
    "soloist": ["a side project", "happy on the free plan", "a freelancer between clients"],
    "tyre_kicker": ["was curious", "collects ideas for its own product", "followed a link"],
    "student": ["a course project", "a thesis", "a hackathon"],
    "churning": ["the need went away", "the project was cancelled", "moved on after a week"],
    "stuck": ["gave up on an error", "its stack is not supported", "waits for a fix"],
}
FIRST = """
northwind harbor blue-fjord copper-lane summit bright-kite lumen atlas-bay cedar-hill quiet-river polar granite
ember meridian tidewater juniper redwood skylark ironbridge orchard-road vela cobalt maple-street lantern
highland oriole driftwood saffron stonegate willow-park aurora kestrel seven-pines marble coastline fernway
amber-mill foxglove old-town riverbend sunbeam delta-point hazel ivory-coast larkspur moonrise needle north-gate
opal paper-crane quarry rosewood silver-fern thornfield umber violet-sky white-oak yellow-barn zephyr
""".split()
SECOND = """
robotics analytics energy logistics health labs payments foods mobility insurance software media studio systems
security retail biotech travel games education aerospace freight homes telecom agritech hr maps audio capital
legal cloud devices printing marine water sports recruiting events optics ventures
""".split()
GIVEN = """
ada ben chloe dario elif farah goran hana ivan jun kofi lena marco nadia omar priya quinn rosa sven tara uma
victor wren xenia yusuf zoe amir bianca carlos dina emil fatima greta hugo ines jonas kira leo mina noah olga
pablo rania sam tomas vera will yara zane
""".split()
FAMILY = """
kim okafor larsen novak silva haddad moreau tanaka fischer rossi patel nguyen svensson costa weber ivanov garcia
jensen mbeki oneill kaya popescu lindgren duarte schmidt yamada cohen walsh petrov berg santos fontaine hughes
keller marin osei park reyes sato vogel adler brandt castillo dumas ekholm ferro gupta horvat iyer jovic
""".split()
# What people write to the company: something of which it tells, or nothing. How much an account wants decides how often it is the former.
ASKED = [
    "Our security team needs SAML first.", "Do you have an audit log?", "Who signs the DPA on your side?",
    "What are the rate limits of the API?", "Is there a webhook for deployments?", "Can we get a yearly invoice?",
    "We compare three tools this week.", "How much is the team plan?",
]
SMALL_TALK = [
    "Thanks, that fixed it.", "The dark theme is lovely.", "We don't need SSO, thanks.", "Good morning!", "See you at the conference.",
]
CHANNELS = ["chat", "support ticket", "email"]
PAGES = ["dashboard", "projects", "logs", "settings", "usage", "changelog", "templates"]
DOCS = ["quickstart", "api", "webhooks", "limits", "deploy", "errors"]
INTEGRATIONS = ["github", "slack", "gitlab", "datadog", "terraform", "jira", "pagerduty"]


def poisson(rng, mean):
    """A Poisson number by Knuth's method; means here are small."""
    limit, k, p = math.exp(-mean), 0, rng.random()
    while p > limit:
        k += 1
        p *= rng.random()
    return k


class Account:
    """One account: its hidden intent, its people, and all they do."""

    def __init__(self, seed, number, days):
        rng = self.rng = random.Random(f"{seed}/{number}")
        first = number % len(FIRST)
        second = (number // len(FIRST) + 7 * first) % len(SECOND)
        again = number // (len(FIRST) * len(SECOND))
        self.id = f"{FIRST[first]}-{SECOND[second]}" + (f"-{again + 1}" if again else "")
        self.archetype = rng.choices(list(ARCHETYPES), [a.share for a in ARCHETYPES.values()])[0]
        self.kind = kind = ARCHETYPES[self.archetype]
        self.intent = rng.betavariate(*kind.intent)
        # Whether it buys follows from the intent, with luck; not from anything that was done.
        self.will_buy = rng.random() < 1 / (1 + math.exp(-(self.intent - 0.58) * 13)) * 0.97
        self.reason = rng.choice(BUYERS if self.will_buy else OTHERS[self.archetype])
        self.zone = rng.choice([-8, -5, -5, 0, 1, 1, 2, 5.5, 8]) * HOUR
        low, high = kind.people
        self.size = min(high, low + int(rng.expovariate(3.2 / (high - low + 1)) * (0.6 + 0.8 * self.intent)))
        self.end = days * DAY
        self.names = set()
        self.events = []   # (received, occurred, user, event, properties)
        self.live(rng.random() ** 1.4 * max(1.0, days * 0.7) * DAY)
        self.rng = random.Random(f"{seed}/{number}/words")  # what is said changes nothing of what is done
        self.messages = sorted(self.write())
        self.plan = self.rng.choice(["free", "free", "trial"])
        self.employees = max(self.size, int(self.size * self.rng.lognormvariate(1.2, 0.8)))

    def person(self):
        while True:
            name = f"{self.rng.choice(GIVEN)}.{self.rng.choice(FAMILY)}"
            if name not in self.names:
                self.names.add(name)
                return f"{name}@{self.id}.example"

    def emit(self, at, user, event, received=None, **properties):
        if at < self.end:
            self.events.append((received or at + self.rng.expovariate(1 / 3.0), at, user, event, properties))

    def at_work(self, at):
        """The next moment, from `at` on, at which somebody is at work."""
        while True:
            hour = ((at + self.zone) % DAY) / HOUR
            weekend = int((at + self.zone) // DAY) % 7 >= 5
            if 8 <= hour < 19 and (not weekend or self.rng.random() < 0.2):
                return at
            at += self.rng.uniform(0.5, 3) * HOUR

    def after(self, at, mean):
        return self.at_work(at + self.rng.expovariate(1 / mean))

    def live(self, start):
        rng, kind, x = self.rng, self.kind, self.intent
        champion = self.person()
        start = self.at_work(start)
        self.emit(start, champion, "signup", plan="free", source=rng.choice(["search", "docs", "friend", "conference"]))
        project = self.after(start, 2 * HOUR)
        builds = rng.random() < (0.3 if kind.depth < 0.2 else 0.93)
        if builds:
            self.emit(project, champion, "project_created", template=rng.choice(["api", "worker", "web", "blank"]))
            self.emit(self.after(project, 3 * HOUR), champion, "api_key_created", scope="read_write")
        people = [(champion, start)]
        people += self.invite(champion, project)
        admin = people[1][0] if len(people) > 2 and rng.random() < 0.4 else champion
        if builds:
            for _ in range(poisson(rng, kind.depth * (0.3 + 2.2 * x))):
                at, what = self.after(project, 40 * HOUR), rng.choice(INTEGRATIONS)
                if rng.random() < kind.errors:
                    self.emit(at, champion, "error", code="integration_failed", integration=what)
                else:
                    self.emit(at, champion, "integration_activated", kind=what)
        secured = self.after(project, 60 * HOUR)
        if rng.random() < (0.05 + 0.85 * x if len(people) >= 3 else 0.08):
            self.emit(secured, admin, "admin_setup", roles=rng.randint(2, 5))
        if rng.random() < (0.85 * x ** 1.5 if len(people) >= 4 else 0.12 * x):
            protocol = rng.choice(["saml", "saml", "oidc"])
            self.emit(self.after(secured, 90 * HOUR), admin, "sso_requested", protocol=protocol)
        for _ in range(poisson(rng, kind.curiosity * 1.5 + 4.5 * x * x)):
            at = self.after(start + rng.random() * 10 * DAY, 24 * HOUR)
            self.emit(at, rng.choice([champion, admin]), "pricing_viewed", plan=rng.choice(["team", "enterprise"]))
        for _ in range(poisson(rng, 3 * x * x)):
            self.emit(self.after(secured, 60 * HOUR), admin, "docs_viewed", page="security")
        bursts = [start + rng.random() * 14 * DAY for _ in range(3)] if self.archetype == "student" else []
        for user, joined in people:
            self.work(user, joined, project if builds else math.inf, bursts)

    def write(self):
        """Some of them write: (sent, user, channel, body)."""
        rng, there = self.rng, {}
        for _, at, user, _, _ in self.events:
            there.setdefault(user, []).append(at)
        for user, moments in there.items():
            for _ in range(min(3, poisson(rng, 0.15 + self.intent))):
                body = rng.choice(ASKED if rng.random() < 0.1 + 0.8 * self.intent else SMALL_TALK)
                yield self.at_work(rng.choice(moments)), user, rng.choice(CHANNELS), body

    def invite(self, champion, at):
        """Invitations go out in waves; most are accepted."""
        rng, joined, left = self.rng, [], self.size - 1
        if self.archetype in ("soloist", "tyre_kicker") and rng.random() < 0.7:
            return joined
        while left > 0 and at < self.end:
            at = self.after(at, 30 * HOUR)
            wave = min(left, rng.randint(1, max(1, self.size // 2)))
            self.emit(at, champion, "invite_sent", count=wave)
            for _ in range(wave):
                if rng.random() < 0.8:
                    user, when = self.person(), self.after(at, 20 * HOUR)
                    self.emit(when, user, "invite_accepted", invited_by=champion)
                    joined.append((user, when))
            left -= wave
        return joined

    def work(self, user, joined, project, bursts):
        """The sessions of one person, from joining to the end."""
        rng, kind, x = self.rng, self.kind, self.intent
        mobile, own = rng.random() < 0.2, rng.lognormvariate(0, 0.5)
        day = joined - joined % DAY
        while day < self.end:
            age = max(0.0, (day - joined) / DAY)
            rate = kind.rate * own * (0.25 if int((day + self.zone) // DAY) % 7 >= 5 else 1.15)
            if kind.fade:
                rate *= 0.5 ** (age / kind.fade)
            if any(abs(day - b) < DAY for b in bursts):
                rate = 6.0
            for _ in range(poisson(rng, rate)):
                at = day - self.zone + rng.gauss(13.5, 2.8) * HOUR
                if at > joined:
                    self.session(user, at, age, at > project, mobile)
            day += DAY

    def session(self, user, at, age, builds, mobile):
        rng, kind, x = self.rng, self.kind, self.intent
        received, device = None, {}
        if mobile and rng.random() < 0.08:  # the phone is offline, and uploads later; at times much later
            received = at + (rng.uniform(4, 72) * HOUR if rng.random() < 0.97 else rng.uniform(8, 10) * DAY)
            device = {"device": "mobile"}

        def emit(event, **properties):
            nonlocal at
            self.emit(at, user, event, received and received + rng.random(), **properties, **device)
            at += rng.expovariate(1 / 90.0)

        for _ in range(1 + poisson(rng, kind.pages - 1)):
            emit("page_view", page=rng.choice(PAGES))
        if rng.random() < 0.35:
            emit("docs_viewed", page=rng.choice(DOCS))
        if builds and not device:
            growth = math.exp(min(1.6, age / 14 * (2.2 * x - 0.5)))
            calls = int(rng.lognormvariate(math.log(kind.calls * growth + 1), 0.7))
            if calls > 3 and rng.random() < 0.75:
                emit("api_usage", calls=calls)
            if calls > 1200 and rng.random() < 0.6:
                emit("limit_reached", limit="requests_per_hour")
            if rng.random() < 0.3 * kind.depth:
                emit("deploy", target=rng.choice(["staging", "production"]))
            while rng.random() < kind.errors:
                emit("error", code=rng.choice(["timeout", "invalid_token", "build_failed", "rate_limited"]))


def simulate(seed, accounts, days):
    """All accounts; all events in the order of arrival: (received, id, occurred, user, account, event, properties)."""
    everyone = [Account(seed, n, days) for n in range(accounts)]
    rows = [(at, account.id, user, event, properties, received)
            for account in everyone for received, at, user, event, properties in account.events]
    rows.sort(key=lambda r: (r[0], r[1], r[2], r[3]))
    rng, arrivals = random.Random(f"{seed}/network"), []
    for number, (at, account, user, event, properties, received) in enumerate(rows, 1):
        row = (number, at, user, account, event, properties)
        arrivals.append((received, *row))
        if rng.random() < 0.012:  # a sender that was not sure sends again
            arrivals.append((received + rng.expovariate(1 / 1200.0), *row))
    arrivals = [a for a in arrivals if a[0] < days * DAY]
    arrivals.sort(key=lambda a: (a[0], a[1]))
    return everyone, arrivals


def write_csv(name, rows):
    with open(name, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)


def stamp(seconds):
    return (START + timedelta(seconds=round(seconds, 3))).isoformat(timespec="milliseconds")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--accounts", type=int, default=400)
    p.add_argument("--days", type=int, default=30)
    for what in ("truth", "account-list", "messages"):
        p.add_argument(f"--{what}", required=True, help=f"the file for the {what}")
    a = p.parse_args()
    everyone, arrivals = simulate(a.seed, a.accounts, a.days)
    write_csv(a.truth, ([x.id, str(x.will_buy).lower(), x.archetype, x.reason] for x in everyone))
    write_csv(a.account_list, ([x.id, x.plan, x.employees] for x in everyone))
    sent = sorted((at, x.id, user, channel, body) for x in everyone for at, user, channel, body in x.messages if at < a.days * DAY)
    write_csv(a.messages, ([n, stamp(at), user, account, channel, body] for n, (at, account, user, channel, body) in enumerate(sent, 1)))
    out = csv.writer(sys.stdout, lineterminator="\n")
    for received, number, at, user, account, event, properties in arrivals:
        out.writerow([number, stamp(at), user, account, event, json.dumps(properties), stamp(received)])


if __name__ == "__main__":
    main()
