from nexus_fast.cli import main

main()
