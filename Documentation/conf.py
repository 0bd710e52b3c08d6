# SPDX-License-Identifier: GPL-2.0
# For `make site`, see site.sh.
import re

project = "gmem"
copyright = "the gmem developers"
root_doc = "index"
exclude_patterns = ["examples"]
html_theme = "alabaster"
html_theme_options = {
    "description": "guest memory, shared or private",
    "page_width": "1200px",
    "sidebar_width": "260px",
    "fixed_sidebar": True,
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_copy_source = False
highlight_language = "none"

CONTENTS = """

.. toctree::
   :hidden:
   :caption: Start
   :titlesonly:

   README
   tutorial
   errors
   qemu
   guest
   howto
   view

.. toctree::
   :hidden:
   :caption: Understand
   :titlesonly:

   overview
   architecture
   security
   memory
   store
   cost
   peers
   locking

.. toctree::
   :hidden:
   :caption: Reference
   :titlesonly:

   uapi
   reference/*
   library
   pvmemcontrol*
   gmemctl-*
   man/*

.. toctree::
   :hidden:
   :caption: Take part
   :titlesonly:

   testing
   contributing
   porting
   changes
""".replace(":titlesonly:", ":titlesonly:\n   :glob:")


def source_read(app, docname, source):
    # Pages link to each other by the names of their files, as they are read in the tree.
    source[0] = re.sub(r"<(?!https?:)([^<>`\s]+)\.rst>`_", r"<\1.html>`_", source[0])
    if docname == "README":
        source[0] = source[0].replace("<Documentation/", "<")
    if docname == "index":
        source[0] += CONTENTS


def setup(app):
    app.connect("source-read", source_read)
