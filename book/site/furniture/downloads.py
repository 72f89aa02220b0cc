"""What is written when all pages are: the sitemap, the tables and the PDF to download, and the whole site as a zip.

sphinx-sitemap would write the sitemap too, but it warns, and so stops the build, where the site has no address.
"""

import shutil
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from lib.storage import whole_file

from .addresses import address

PDF, ZIP = "which-words-matter.pdf", "which-words-matter.zip"


def finish(app, exception):
    """Write what is made from the whole site. Runs last, because the zip contains what others write."""
    if exception is None and app.builder.name == "html":
        site = Path(app.outdir)
        write_sitemap(app, site)
        copy_downloads(app, site / "downloads")
        write_zip(site, site / "downloads" / ZIP)


def reference_tables(app) -> dict[str, str]:
    """The tables by file name. The results, kept a file a cell, are one: the first head, and all that is below."""
    folder = Path(app.srcdir) / "lib" / "results"
    tables = {path.name: read(path) for path in sorted((folder / "timings").glob("*.csv"))}
    cells = [read(path).splitlines(keepends=True) for path in sorted((folder / "tables").glob("*.csv"))]
    if cells:
        tables["results.csv"] = "".join(cells[0][:1] + [line for lines in cells for line in lines[1:]])
    return tables


def read(path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def pdf(app) -> Path:
    """Where `make pdf` writes the book. It is part of the site if it is there when the site is built."""
    return Path(app.outdir).parent / PDF


def write_sitemap(app, site):
    """The pages for search engines, if the address of the site is known."""
    sitemap, robots, base = site / "sitemap.xml", site / "robots.txt", app.config.html_baseurl
    if not base:
        sitemap.unlink(missing_ok=True)
        robots.unlink(missing_ok=True)
        return
    urlset = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for page in app.env.collect_relations():
        ElementTree.SubElement(ElementTree.SubElement(urlset, "url"), "loc").text = address(app, page)
    ElementTree.ElementTree(urlset).write(sitemap, encoding="utf-8", xml_declaration=True)
    robots.write_text(f"User-agent: *\nAllow: /\n\nSitemap: {base}sitemap.xml\n", encoding="utf-8")


def copy_downloads(app, folder):
    """Copy the tables and, if there is one, the PDF; remove those of earlier builds."""
    tables, printed = reference_tables(app), list(filter(Path.is_file, [pdf(app)]))
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.name not in {ZIP, *tables, *(source.name for source in printed)}:
            old.unlink()
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    for source in printed:
        shutil.copyfile(source, folder / source.name)


def write_zip(site, target):
    """Pack the site below one folder, without hidden files. The same site gives the same bytes."""
    paths = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file() and path != target)
    with whole_file(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for path in paths:
            if any(part.startswith(".") or part == "__pycache__" for part in path.parts):
                continue
            entry = zipfile.ZipInfo(f"{target.stem}/{path.as_posix()}")  # its date is 1 January 1980
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, (site / path).read_bytes())


def setup(app):
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
