"""The website: Sphinx + myst-nb over the executed notebooks. `make course` builds it into build/site."""

from metagan_edu.course.badges import BRANCH, repository

project = "Meta-learning for GANs"
author = "The metagan_edu authors"
copyright = "CC BY 4.0"

# The formulas are set from files that the page brings along: the site is read without a network too.
extensions = [
    "myst_nb",
    "sphinx.ext.mathjax",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "metagan_edu.course.docstrings",
    "metagan_edu.course.every_page",
]
exclude_patterns = ["**/.ipynb_checkpoints", "assignments", "_*.md"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
# A computed table comes as Markdown and as HTML. Read with MyST, the Markdown is a table with formulas set; as
# CommonMark, which is what myst-nb takes it for unless told, it has no tables and is a paragraph of bars.
nb_render_markdown_format = "myst"
# Its rank is before that of text/html, which is at 30.
nb_mime_priority_overrides = [("html", "text/markdown", 25)]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]
mathjax_path = "mathjax/startup.js"
mathjax3_config = {
    "loader": {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]}
}

autodoc_typehints_format = "short"
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
viewcode_follow_imported_members = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_title = project
html_theme_options = {
    "source_repository": repository(),
    "source_branch": BRANCH,
    "source_directory": "notebooks/",
    "top_of_page_buttons": ["view"],
}
