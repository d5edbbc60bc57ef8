"""The verdict in the formats that this client writes itself. Markdown, SARIF and JUnit come from the server."""
