"""The documentation's site: Sphinx, MyST for Markdown, the theme Furo. See `make docs`."""

from __future__ import annotations

project = "openhands-strategies"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_generate", "_build", "pictures"]
nitpicky = True

# `[text](page.md#heading)` works here and where the files are read as they are.
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]

html_theme = "furo"
html_title = "openhands-strategies"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fbf", "color-brand-content": "#1f5fbf"},
    "dark_css_variables": {"color-brand-primary": "#8ab8ff", "color-brand-content": "#8ab8ff"},
}
# Trees and command lines are no language; `sh` and `python` are.
highlight_language = "text"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
