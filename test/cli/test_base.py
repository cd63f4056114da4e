"""What all subcommands share: connecting, the options, the exit codes."""


def test_version(case):
    case.run('version').expect(0, out=r'^pqlctl \S+\npql \S+ in database cli_\w+, PostgreSQL \d+')
    said = case.run('--json', 'version').expect(0).json()
    assert said['pqlctl'] == said['extension'] and said['database'] == case.database
    assert case.run('version', '--json').expect(0).json() == said  # shared options may follow
    case.run('--version').expect(0, out=r'^pqlctl \S+$')


def test_version_without_extension(case):
    case.sql('DROP EXTENSION pql')
    case.run('version').expect(1, out='no pql in database', err='HINT: CREATE EXTENSION pql')
    assert case.run('version', '--json').expect(1).json()['extension'] is None


def test_where_to_connect(case):
    host, port, user = (case.env[k] for k in ('PGHOST', 'PGPORT', 'PGUSER'))
    bare = {k: '' for k in ('PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE')}
    case.run('version', '-h', host, '-p', port, '-U', user, '-d', case.database, env=bare).expect(0, out=case.database)
    case.run('version', '-d', f'host={host} port={port} user={user} dbname={case.database}', env=bare).expect(0, out=case.database)
    case.run('version', '-d', f'postgresql:///{case.database}?host={host}&port={port}&user={user}', env=bare).expect(0, out=case.database)
    services = case.write('services', f'[crm]\nhost={host}\nport={port}\nuser={user}\ndbname={case.database}\n')
    env = {**bare, 'PGSERVICEFILE': str(services)}
    case.run('version', '--service', 'crm', env=env).expect(0, out=case.database)
    case.run('version', env={**env, 'PGSERVICE': 'crm'}).expect(0, out=case.database)
    case.run('version', '--service', 'erp', env=env).expect(3, err='definition of service "erp" not found')


def test_exit_codes(case):
    case.run().expect(2, err='subcommand')
    case.run('nonsense').expect(2)
    case.run('version', '--nonsense').expect(2)
    case.run('--help').expect(0, out='version')
    case.run('version', '--help').expect(0, out='--dbname')
    case.run('version', '-h', '/nonexistent').expect(3, err='HINT: Say where the database is')
    case.run('version', '-d', 'no_such_database').expect(3, err='no_such_database')
