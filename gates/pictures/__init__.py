"""Charts: Vega-Lite specifications of one style, and their rendering to SVG in a light and a dark theme."""
