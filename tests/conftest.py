def pytest_configure(config):
    config.addinivalue_line("markers", "scenario(*numbers): of the failure scenarios, listed in tests/scenarios/README.md")
