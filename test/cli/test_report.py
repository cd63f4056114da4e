"""The report: one file, well-formed, with SQL's figures, and nothing in it that somebody smuggled in. covers: S1-16"""
import re
import xml.etree.ElementTree as tree

from test_look import company, start

SCRIPT = "<script>alert('x')</script>"


def lived_in(case):
    """Accounts that were contacted, that were not, that are blocked, and one with a name to be afraid of."""
    company(case)
    case.sql('UPDATE pql.reps SET capacity = 50')
    start(case, *(f'org{n}' for n in range(8)), SCRIPT)
    case.sql('''
        SELECT count(*) FROM pql.tick();
        UPDATE pql.routing SET contact_after = now() - interval '1 hour'; -- whatever the hour of the day
        SELECT count(*) FROM pql.tick();
        SELECT count(*) FROM pql.claim('ann', 3);
        SELECT count(*) FROM pql.routing AS r, LATERAL pql.accept(r.routing_id) AS a WHERE r.state = 'claimed' AND r.subject_id <> $$%s$$;
        SELECT count(*) FROM (SELECT r.routing_id FROM pql.routing AS r WHERE r.state = 'accepted' ORDER BY 1 LIMIT 2) AS r, LATERAL pql.touch(r.routing_id, 'phone') AS t;
        SELECT count(*) FROM (SELECT r.routing_id FROM pql.routing AS r WHERE r.state = 'touched' ORDER BY 1 LIMIT 1) AS r,
          LATERAL pql.dispose(r.routing_id, 'meeting_set', need_matched => true, timing_right => true, context_enough => false) AS d;
        UPDATE pql.routing SET contact_after = now() - interval '3 days', contact_by = now() - interval '2 days' WHERE state = 'ready';
        UPDATE pql.reps SET team = '<b>&"';''' % SCRIPT)


def page_of(case, *options):
    html = case.run('report', '-o', '-', *options).expect(0).out
    assert html.startswith('<!DOCTYPE html>\n')
    return html, tree.fromstring(html.removeprefix('<!DOCTYPE html>\n'))


def tables(page):
    """By caption: the rows, as the texts of their cells."""
    return {t.find('caption').text: [[''.join(c.itertext()) for c in r] for r in t.iter('tr')] for t in page.iter('table')}


def figures(page):
    return {d.find('dt').text: d.find('dd').text for d in page.find('.//dl')}


def test_report_is_one_file_with_nothing_from_elsewhere(case):
    lived_in(case)
    html, page = page_of(case)
    assert not re.search(r'https?:|<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bhref=|\bon\w+=', html.replace('&lt;script', '')), 'something from elsewhere'
    assert "default-src 'none'" in html and 'prefers-color-scheme:dark' in html and 'width=device-width' in html
    assert '&lt;script&gt;' in html
    ids = [e.get('id') for e in page.iter() if e.get('id')]
    assert len(ids) == len(set(ids)), 'an id twice'
    for svg in page.iter('svg'):
        if svg.get('aria-hidden') == 'true' or svg.get('class') == 'cut':
            continue
        assert svg.get('role') == 'img' and all(i in ids for i in svg.get('aria-labelledby').split()) and svg.find('title').text and svg.find('desc').text
    for section in page.iter('section'):
        assert section.get('aria-labelledby') in ids
        assert section.find('.//svg') is None or section.find('.//details//table') is not None, 'a drawing without its numbers'
    for t in page.iter('th'):
        assert t.get('scope') in ('col', 'row')
    assert page.get('lang') == 'en' and page.find('.//h1').text


def test_report_says_what_sql_says(case):
    lived_in(case)
    _, page = page_of(case)
    said, shown = tables(page), figures(page)
    steps = case.sql('SELECT step, sum(handoffs) FROM pql.bi_funnel GROUP BY place, step ORDER BY place').splitlines()
    assert [f'{r[0]}|{r[1]}' for r in said['Funnel of hand-offs'][1:]] == steps
    assert shown['Qualified'] == case.sql('SELECT count(*) FROM pql.bi_handoffs WHERE follows IS NULL') == '9'
    assert shown['Meetings'] == case.sql('SELECT count(met_at) FROM pql.bi_handoffs') == '1'
    assert shown['Overdue now'] == case.sql("SELECT count(*) FROM pql.inbox WHERE sla = 'broken' AND state IN ('ready', 'claimed', 'accepted')") != '0'
    assert sum(int(r[1]) for r in said['Hand-offs by week'][1:]) == 9
    late = case.sql("SELECT subject_id FROM pql.inbox WHERE sla = 'broken' AND state IN ('ready', 'claimed', 'accepted') ORDER BY contact_by, routing_id").splitlines()
    assert [r[0] for r in said['Overdue hand-offs, the oldest first'][1:]] == late
    reps = case.sql("SELECT rep, team, open, capacity, handoffs, touched FROM pql.bi_reps").split('|')
    assert said['Reps'][1][:6] == reps and said['Reps'][1][1] == '<b>&"'
    # the three properties of a good hand-off: context, match, timing
    assert said['What reps answered'][1:] == [['the context was enough', '0', '1', '0 %'], ['the need was matched', '1', '1', '100 %'], ['the timing was right', '1', '1', '100 %']]
    assert case.run('report', '--json').expect(0).json()['totals'][0]['qualified'] == 9


def test_report_of_nothing(case):
    _, page = page_of(case)
    text = ' '.join(page.itertext())
    for said in ('Nobody has qualified in these weeks.', 'There are no reps', 'Nothing is overdue.', 'Nobody is blocked.'):
        assert said in text, said
    assert 'nan' not in text.lower().split() and figures(page)['Qualified'] == '0'


def test_report_options(case):
    lived_in(case)
    case.run('report').expect(0, err='wrote pql-report.html')
    assert (case.directory / 'pql-report.html').read_text().startswith('<!DOCTYPE html>')
    _, page = page_of(case, '--program', 'p', '--weeks', '4', '--title', SCRIPT)
    assert page.find('.//h1').text == SCRIPT and len(tables(page)['Hand-offs by week']) == 5
    case.run('report', '--program', 'nonsense').expect(2, err='does not exist')
    case.run('report', '-o', '/nonexistent/page.html').expect(2, err="can't be written")
    case.run('report', '--weeks', '0').expect(2)
    case.sql('DROP EXTENSION pql CASCADE')
    case.run('report', '-o', '-').expect(4)
