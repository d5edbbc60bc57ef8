"""`python -m guiderail_client`."""

from guiderail_client.cli import main

raise SystemExit(main())
