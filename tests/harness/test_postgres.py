from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from tests.harness.postgres import new_database, postgres


def test_the_server_is_a_real_postgresql_on_a_socket_alone(postgres_url):
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        assert "PostgreSQL" in connection.execute(text("SELECT version()")).scalar_one()
        assert connection.execute(text("SHOW listen_addresses")).scalar_one() == ""
    engine.dispose()


def test_the_server_and_its_folder_are_gone_afterwards():
    with postgres() as url:
        folder = Path(make_url(url).query["host"])
        assert folder.is_dir()
    assert not folder.exists()


def test_each_test_has_a_database_of_its_own_that_goes_even_while_connected(postgres_server):
    with new_database(postgres_server) as one, new_database(postgres_server) as other:
        assert one != other
        engine = create_engine(one)
        connection = engine.connect()
        connection.execute(text("CREATE TABLE crossing (id int)"))
    connection.invalidate()
    engine.dispose()
    left = create_engine(postgres_server)
    with left.connect() as connection:
        names = set(connection.execute(text("SELECT datname FROM pg_database")).scalars())
    left.dispose()
    assert names.isdisjoint({make_url(one).database, make_url(other).database})
