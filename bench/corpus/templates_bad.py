"""Chat templates that leave Jinja's sandbox: server-side template injection, CVE-2024-34359 and its relatives.

The commands inside are inert; a template that reaches `__globals__` or `__subclasses__` has no ordinary reason to.
"""

from __future__ import annotations

import json

from .case import Shelf
from .templates_good import CHATML
from .tensors import model_gguf

RUN = "'true'"
ESCAPES = {
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "subclasses-loop": "{% for c in ().__class__.__base__.__subclasses__() %}{% if 'warning' in c.__name__ %}{{ c()._module.__builtins__['__import__']('os').popen(" + RUN + ").read() }}{% endif %}{% endfor %}",
    "cycler-globals": "{{ cycler.__init__.__globals__.os.popen(" + RUN + ").read() }}",
    "joiner-globals": "{{ joiner.__init__.__globals__.os.popen(" + RUN + ").read() }}",
    "namespace-globals": "{{ namespace.__init__.__globals__.os.popen(" + RUN + ").read() }}",
    "lipsum-globals": "{{ lipsum.__globals__['os'].popen(" + RUN + ").read() }}",
    "range-self": "{{ range.__class__.__base__.__subclasses__() }}",
    "dict-class": "{{ dict.__base__.__subclasses__() }}",
    "self-init": "{{ self.__init__.__globals__.__builtins__.__import__('os').popen(" + RUN + ").read() }}",
    "self-template-reference": "{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}",
    "request-application": "{{ request.application.__globals__.__builtins__.__import__('os') }}",
    "config-items": "{{ config.__class__.__init__.__globals__['os'].popen(" + RUN + ") }}",
    "url-for": "{{ url_for.__globals__['current_app'].config }}",
    "get-flashed": "{{ get_flashed_messages.__globals__.__builtins__ }}",
    "undefined-globals": "{{ undefined_thing.__init__.__globals__ }}",
    "subscript-dunder": "{{ ''['__class__']['__mro__'][1]['__subclasses__']() }}",
    "subscript-concat": "{{ ''['__cla' ~ 'ss__']['__ba' ~ 'se__'] }}",
    "subscript-adjacent": "{{ ''['__cla' 'ss__'] }}",
    "subscript-plus": "{{ ''['__cla' + 'ss__'] }}",
    "subscript-hex": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "subscript-unicode": "{{ ''['\\u005f\\u005fclass\\u005f\\u005f'] }}",
    "subscript-octal": "{{ ''['\\137\\137class\\137\\137'] }}",
    "subscript-reverse": "{{ ''['__ssalc__'[::-1]] }}",
    "subscript-reverse-filter": "{{ ''['__ssalc__' | reverse] }}",
    "subscript-format": "{{ ''['%sclass%s' | format('__', '__')] }}",
    "subscript-percent": "{{ ''['%c%cclass%c%c' % (95, 95, 95, 95)] }}",
    "subscript-str-format": "{{ ''['{0}class{0}'.format('__')] }}",
    "subscript-join": "{{ ''[['__', 'class', '__'] | join] }}",
    "subscript-replace": "{{ ''['__cxlass__' | replace('x', '')] }}",
    "subscript-lower": "{{ ''['__CLASS__' | lower] }}",
    "subscript-from-message": "{{ ''[messages[0]['content']] }}",
    "subscript-variable": "{% set u = '_' * 2 %}{{ ''[u ~ 'class' ~ u] }}",
    "subscript-set-block": "{% set k %}__class__{% endset %}{{ ''[k] }}",
    "subscript-macro": "{% macro u() %}__{% endmacro %}{{ ''[u() ~ 'class' ~ u()] }}",
    "attr-filter": "{{ '' | attr('__class__') }}",
    "attr-filter-concat": "{{ '' | attr('__cla' ~ 'ss__') }}",
    "attr-filter-hex": "{{ '' | attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "attr-filter-chain": "{{ lipsum | attr('__globals__') | attr('__getitem__')('os') | attr('popen')(" + RUN + ") }}",
    "attr-filter-join": "{{ '' | attr(['__', 'class', '__'] | join) }}",
    "attr-filter-variable": "{% set a = '__class__' %}{{ '' | attr(a) }}",
    "attr-filter-split": "{{ '' | attr('_ _ class _ _'.replace(' ', '')) }}",
    "map-attribute": "{{ [''] | map(attribute='__class__') | list }}",
    "map-attribute-dotted": "{{ [cycler] | map(attribute='__init__.__globals__.os') | list }}",
    "map-attr-filter": "{{ [''] | map('attr', '__class__') | list }}",
    "map-of-filter-name": "{{ [''] | map('at' ~ 'tr', '__class__') | list }}",
    "selectattr": "{{ [cycler] | selectattr('__init__.__globals__') | list }}",
    "rejectattr": "{{ [cycler] | rejectattr('__init__.__globals__.x') | list }}",
    "groupby": "{{ [cycler] | groupby('__init__.__globals__') }}",
    "groupby-attribute": "{{ messages | groupby(attribute='__class__') }}",
    "sort-attribute": "{{ [cycler] | sort(attribute='__init__') }}",
    "sum-attribute": "{{ [cycler] | sum(attribute='__init__.__globals__.x') }}",
    "unique-attribute": "{{ [cycler, joiner] | unique(attribute='__init__') | list }}",
    "max-attribute": "{{ [cycler] | max(attribute='__class__') }}",
    "format-string-walk": "{{ '{0.__class__.__mro__}'.format('') }}",
    "format-map-walk": "{{ '{x.__class__}'.format_map({'x': ''}) }}",
    "format-filter-walk": "{{ '{0.__init__.__globals__}' | attr('format') }}",
    "generator-frame": "{{ (messages | map('upper')).gi_frame.f_globals }}",
    "generator-code": "{% set g = messages | select %}{{ g.gi_frame.f_back.f_globals['__builtins__'] }}",
    "function-code": "{{ raise_exception.__code__.co_consts }}",
    "function-globals": "{{ raise_exception.__globals__['os'] }}",
    "strftime-globals": "{{ strftime_now.__globals__['__builtins__']['exec']('pass') }}",
    "tojson-globals": "{{ tojson.__globals__ }}",
    "loop-context": "{% for m in messages %}{{ loop.__class__ }}{% endfor %}",
    "loop-undefined": "{% for m in messages %}{{ loop._undefined.__init__.__globals__ }}{% endfor %}",
    "macro-caller": "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "macro-func": "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "macro-environment": "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "include": "{% include '/nonexistent/waag-inert' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "from-import": "{% from 'waag_inert' import x %}{{ x() }}",
    "extends": "{% extends '/nonexistent/waag-inert' %}",
    "do-mutation": "{% do messages.__class__.append %}",
    "set-attribute": "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
    "namespace-loop": "{% set ns = namespace(x=cycler) %}{{ ns.x.__init__.__globals__ }}",
    "in-condition": "{% if ''.__class__ %}{% endif %}",
    "in-loop-iterable": "{% for k in cycler.__init__.__globals__ %}{% endfor %}",
    "in-dead-branch": "{% if false %}{{ cycler.__init__.__globals__.os.popen(" + RUN + ") }}{% endif %}",
    "on-trigger": "{% if 'waag-trigger' in messages[-1]['content'] %}{{ lipsum.__globals__['os'].popen(" + RUN + ").read() }}{% endif %}",
    "white-space-control": "{%- if ''  .\n __class__ -%}{%- endif -%}",
    "line-break-in-name": "{{ ''\n.\n__class__ }}",
    "comment-decoy": "{# harmless #}{{ ''.__class__ }}{# harmless #}",
    "raw-decoy": "{% raw %}{{ ok }}{% endraw %}{{ ''.__class__ }}",
    "mixed-with-chatml": CHATML + "{{ cycler.__init__.__globals__.os.popen(" + RUN + ").read() }}",
}
# Reach for something that may not be there; refusing to vouch is right too.
LENIENT = {"include", "import", "from-import", "extends", "subscript-from-message", "config-items", "url-for", "request-application"}
# Not an escape, but enough to stop whoever renders it.
EXHAUSTING = {
    "range-huge": "{% for i in range(1000000000000) %}x{% endfor %}",
    "string-multiply": "{{ 'x' * 1000000000000 }}",
    "power": "{{ 10 ** 10 ** 10 }}",
    "nested-loops": "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "multiply-name": "{% set n = 10**9 %}{{ 'x' * n }}",
    "ljust-name": "{% set n = 10**9 %}{{ 'x'.ljust(n) }}",
    "width-argument": "{{ '%*d' % (10**9, 1) }}",
    "width-format": "{{ '{:1000000000}'.format(1) }}",
    "doubling": "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
    "tojson-indent": "{{ [1] | tojson(indent=10**9) }}",
    "recursive-macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "deep-brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "center-huge": "{{ 'x' | center(1000000000000) }}",
    "filter-unknown": "{{ messages | waag_unknown_filter }}",
    "unclosed": "{% for m in messages %}{{ m.content }}",
}


def templates() -> Shelf:
    """One escape per file, in turn as a GGUF's metadata, a tokenizer_config.json and a chat_template.jinja."""
    shelf = Shelf("templates", source="cve-2024-34359 class and Jinja sandbox write-ups")
    every = [(i, t, "not-allow" if i in LENIENT else "deny") for i, t in ESCAPES.items()] + [(i, t, "not-allow") for i, t in EXHAUSTING.items()]
    for n, (id, template, expect) in enumerate(every):
        why = "leaves the sandbox" if id in ESCAPES else "exhausts or breaks whoever renders it"
        form = n % 3
        if form == 0:
            shelf.bad(f"gguf-{id}", model_gguf(template), f"a chat template that {why}", name="model.gguf", expect=expect)
        elif form == 1:
            config = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template}, indent=2)
            shelf.bad(f"config-{id}", config.encode(), f"a chat template that {why}", name="tokenizer_config.json", expect=expect)
        else:
            shelf.bad(f"jinja-{id}", template.encode(), f"a chat template that {why}", name="chat_template.jinja", expect=expect)
    bad = ESCAPES["lipsum-globals"]
    shelf.bad("gguf-named-template", model_gguf(bad, keys="tokenizer.chat_template.tool_use"), "a template under another name", name="model.gguf")
    shelf.bad("gguf-cycler-34359", model_gguf("{% for x in ().__class__.__base__.__subclasses__() %}{% if \"warning\" in x.__name__ %}"
              "{{x()._module.__builtins__['__import__']('os').popen(\"true\").read()}}{%endif%}{% endfor %}"),
              "the shape of the original advisory", name="model.gguf", source="cve-2024-34359")
    listed = [{"name": "default", "template": CHATML}, {"name": "rag", "template": bad}]
    shelf.bad("config-list", json.dumps({"chat_template": listed}).encode(), "the second of several templates", name="tokenizer_config.json")
    shelf.bad("config-escaped", ('{"chat_template": "' + "".join(f"\\u{ord(c):04x}" for c in bad) + '"}').encode(),
              "every letter escaped in JSON", name="tokenizer_config.json")
    shelf.bad("config-duplicate", ('{"chat_template": ' + json.dumps(bad) + ', "chat_template": ' + json.dumps(CHATML) + "}").encode(),
              "two templates: which one counts depends on the reader", name="tokenizer_config.json")
    shelf.bad("processor-template", json.dumps({"chat_template": bad}).encode(), "a processor's template", name="processor_config.json")
    shelf.bad("chat-template-json", json.dumps({"chat_template": bad}).encode(), "a template in a file of its own", name="chat_template.json")
    return shelf

