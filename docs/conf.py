from importlib.metadata import version as installed_version

project = "tunescope"
author = "The tunescope authors"
project_copyright = "The tunescope authors"
version = release = installed_version("tunescope")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
default_role = "code"
highlight_language = "none"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
# Types are prose ("array of shape (n_words, d)"), whose words are not to become links.
napoleon_use_param = False

html_theme = "furo"
html_title = f"tunescope {release}"
html_copy_source = False
