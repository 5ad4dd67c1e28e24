"""The OpenAPI document as one page of plain HTML: no script, nothing fetched from elsewhere.

Swagger's own page loads its code from a network that a telescope's machine room may not reach.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2330; }
h2 { margin-top: 2.2rem; border-top: 1px solid #ccd; padding-top: 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: #f2f4f8; border-radius: 4px; }
code { padding: 1px 4px; } pre { padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; }
.method { color: #fff; background: #33508f; border-radius: 4px; padding: 1px 8px; font: 600 13px monospace; }
@media (prefers-color-scheme: dark) {
  body { background: #12151c; color: #dde2ee; } code, pre { background: #1e2430; } h2 { border-color: #333a4a; }
  a { color: #8fb2ff; }
}
"""


def page(document: Mapping[str, Any], base: str = "") -> str:
    """Return the page of an OpenAPI document; `base` is the service's address as the reader sees it."""
    title, about = document["info"]["title"], document["info"].get("description", "")
    routes = [(path, method, route) for path, methods in document["paths"].items() for method, route in methods.items()]
    body = "".join(
        (
            f"<h1>{escape(title)}</h1><p>{escape(about)}</p>",
            "<p>The same for programs: <a href='openapi.json'>openapi.json</a></p><ul>",
            *(f"<li><a href='#{_anchor(m, p)}'>{m.upper()} {escape(p)}</a>: {_summary(r)}</li>" for p, m, r in routes),
            "</ul>",
            *(_route(p, m, r, base) for p, m, r in routes),
            "<h2>Types</h2>",
            *(_type(name, schema) for name, schema in document.get("components", {}).get("schemas", {}).items()),
        )
    )
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(title)}</title>"
    return f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>"


def _anchor(method: str, path: str) -> str:
    return escape(f"{method}{path.replace('/', '-')}")


def _summary(route: Mapping[str, Any]) -> str:
    return escape(route.get("summary", ""))


def _route(path: str, method: str, route: Mapping[str, Any], base: str) -> str:
    sent = route.get("requestBody", {}).get("content", {})
    rows = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer.get('description', ''))}</td></tr>"
        for status, answer in route.get("responses", {}).items()
    )
    return "".join(
        (
            f"<h2 id='{_anchor(method, path)}'><span class=method>{method.upper()}</span> ",
            f"<code>{escape(path)}</code></h2>",
            f"<p>{escape(route.get('description', '') or route.get('summary', ''))}</p>",
            f"<p>Body: {', '.join(f'<code>{escape(kind)}</code>' for kind in sent)}</p>" if sent else "",
            f"<pre>{escape(_curl(path, method, sent, base))}</pre>",
            f"<table><tr><th>status</th><th>answer</th></tr>{rows}</table>",
            *_examples(route),
        )
    )


def _curl(path: str, method: str, sent: Mapping[str, Any], base: str) -> str:
    if not sent:
        return f"curl {base}{path}" if method == "get" else f"curl -X {method.upper()} {base}{path}"
    return f"curl -H 'content-type: {next(iter(sent))}' --data-binary @FILE.avro {base}{path}"


def _examples(route: Mapping[str, Any]) -> Iterator[str]:
    for status, answer in route.get("responses", {}).items():
        for content in answer.get("content", {}).values():
            if "example" in content:
                yield f"<p>Example of <code>{escape(status)}</code>:</p><pre>{_json(content['example'])}</pre>"


def _type(name: str, schema: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_kind(kind)}</td>"
        f"<td>{escape(kind.get('description', ''))}</td></tr>"
        for field, kind in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", ()))
    about = escape(schema.get("description", ""))
    return f"<h3 id='{escape(name)}'>{escape(name)}</h3><p>{about} {values}</p><table>{rows}</table>"


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(_kind(option) for option in schema.get("anyOf") or schema["oneOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return escape(str(schema.get("const") or schema.get("type", "any")))


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=2))
