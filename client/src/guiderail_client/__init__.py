"""The command line of Guiderail. Standard library and a YAML parser only, so that it installs and starts at once."""

__version__ = "0.1.0"
