"""The website: Sphinx + myst-nb over the executed notebooks. `make course` builds it into build/site."""

from metagan_edu.course.badges import BRANCH, repository

project = "Meta-learning for GANs"
author = "The metagan_edu authors"
copyright = "CC BY 4.0"

# The formulas are set from files that the page brings along: the site is read without a network too.
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
exclude_patterns = ["**/.ipynb_checkpoints", "assignments"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
# A computed table comes as Markdown and as HTML. Read with MyST, the Markdown is a table with formulas set; as
# CommonMark, which is what myst-nb takes it for unless told, it has no tables and is a paragraph of bars.
nb_render_markdown_format = "myst"
nb_mime_priority_overrides = [("html", "text/markdown", 25)]  # before text/html, which is at 30
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {
    "repository_url": repository(),
    "repository_branch": BRANCH,
    "path_to_docs": "notebooks",
    "use_repository_button": True,
    "use_issues_button": True,
    "launch_buttons": {"colab_url": "https://colab.research.google.com", "binderhub_url": "https://mybinder.org"},
}
