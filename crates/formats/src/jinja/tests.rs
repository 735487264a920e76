//! Templates as models carry them, and ways out of the sandbox as they are published.

use super::*;
use crate::testing::{mutate, oddities};

fn facts(text: &str) -> Facts {
    let mut facts = Facts::new();
    inspect_template(text, "chat_template", Position::Whole, &Budget::default(), &mut facts);
    facts
}

fn reaches(text: &str) -> Vec<Reach> {
    let facts = facts(text);
    let reach = |fact: &crate::fact::Fact| {
        if let FactKind::TemplateReach { reach, .. } = fact.kind { Some(reach) } else { None }
    };
    facts.list().iter().filter_map(reach).collect()
}

const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const LLAMA2: &str = "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";

const LLAMA31: &str = r#"{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\n\n"}}
{%- endif %}
{%- for t in tools %}
    {{- t | tojson(indent=4) }}
{%- endfor %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- for arg_name, arg_val in tool_call.arguments | items %}
            {{- arg_name + '="' + arg_val + '"' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- endif %}
        {%- endfor %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- endif %}
    {%- endif %}
{%- endfor %}"#;

const MISTRAL: &str = r#"{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS][" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                {%- endfor %}
            {%- endfor %}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{%- endfor %}"#;

const QWEN3: &str = r#"{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- set reasoning_content = '' %}
    {%- if '</think>' in content %}
        {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\n') %}
    {%- endif %}
    {%- if loop.index0 > ns.last_query_index %}
        {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content }}
    {%- endif %}
    {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
        {{- '<|im_start|>user' }}
    {%- endif %}
    {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
        {{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}
    {{- '<think>\n\n</think>\n\n' }}
{%- endif %}"#;

const DEEPSEEK: &str = r#"{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message['role'] == 'assistant' and message['content'] is none %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<｜Assistant｜><｜tool▁calls▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments'] + '\n' + '```'}}{%- set ns.is_first = true -%}{%- endif %}{%- endfor %}{%- endif %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{%- endfor -%}"#;

const GEMMA: &str = r"{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('x') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}";

const COMMAND_R: &str = r#"{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}
{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
{{- "List[" + json_to_python_type(json_spec.items) + "]"}}
{%- elif json_spec.type == "object" %}
{{- "Dict[str, " + json_to_python_type(json_spec.additionalProperties) + ']'}}
{%- elif json_spec.type is iterable %}
{{- "Union[" }}
{%- for t in json_spec.type %}
{{- json_to_python_type({"type": t}) }}
{%- if not loop.last %}{{- "," }}{%- endif %}
{%- endfor %}
{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- for tool in tools %}
{%- set ns = namespace(sep='') %}
{{- tool.function.name + "(" }}
{%- for param_name, param_fields in tool.function.parameters.properties|items %}
{{- param_name + ": " + json_to_python_type(param_fields) }}
{%- endfor %}
{%- if tool.function.parameters.required is defined and param_name in tool.function.parameters.required %}{{ ': ' ~ tool.function.description | default('') | replace('\n', ' ') }}{% endif %}
{%- for key in tool.function %}{{ key ~ tool.function[key] }}{% endfor %}
{%- endfor %}"#;

const GENERATION: &str = "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{% continue %}{% endif %}{{ m['role'].upper() }}{% if loop.index0 % 2 is divisibleby 2 %}{% break %}{% endif %}{% endfor %}{%- set roles = {'user': 'U'} -%}{{ roles[messages[0].role] }}{{ messages | map(attribute='role') | list | join(',') }}{{ messages|sort(attribute='role')|first }}{{ ['a', 'b'] | map('upper') | list }}{{ '%s:%s' % (a, b) }}{{ '{} {}'.format(a, b) }}{{ range(0, n) | list }}{% call(x) mac() %}{% endcall %}{% macro mac() %}{{ caller(1) }}{% endmacro %}";

#[test]
fn real_templates_have_nothing_odd() {
    let all = [CHATML, LLAMA2, LLAMA31, MISTRAL, QWEN3, DEEPSEEK, GEMMA, COMMAND_R, GENERATION];
    for text in all {
        let facts = facts(text);
        let odd: Vec<_> = facts.list().iter().filter(|fact| !matches!(fact.kind, FactKind::Template { .. })).collect();
        assert!(odd.is_empty(), "{odd:#?}");
    }
}

#[test]
fn cve_2024_34359_chat_template() {
    let text = "{% for x in ().__class__.__base__.__subclasses__() %}{% if \"warning\" in x.__name__ %}{{x()._module.__builtins__['__import__']('os').popen(\"touch /tmp/retr0reg\")}}{%endif%}{% endfor %}";
    let found = reaches(text);
    assert!(found.iter().filter(|reach| **reach == Reach::Internals).count() >= 4, "{found:?}");
    assert!(found.contains(&Reach::Host));
}

/// Each line is one way out; each must be found.
const ESCAPES: &str = r#"
{{ ''.__class__ }}
{{ ''['__class__'] }}
{{ ''['\x5f\x5fclass\x5f\x5f'] }}
{{ ''['\u005f\u005fclass\u005f\u005f'] }}
{{ ''['\137\137class\137\137'] }}
{{ ''['\N{LOW LINE}\N{LOW LINE}class__'] }}
{{ ''|attr('__class__') }}
{{ ''|attr('\x5f\x5fclass\x5f\x5f') }}
{{ ''|attr(x) }}
{{ ''|attr(['__','class','__']|join) }}
{{ ''['__cla' ~ 'ss__'] }}
{{ ''['__cla' + 'ss__'] }}
{{ ''['__cla' 'ss__'] }}
{{ ''['%s%s' % ('__cla', 'ss__')] }}
{{ ''['%c%c' % (95, 95)] }}
{{ '%c'|format(95) }}
{{ '{:c}'.format(95) }}
{{ '{0.__class__}'.format(x) }}
{{ '{0[a]}'.format(x) }}
{{ x.format(y) }}
{{ '{x.y}'.format_map(z) }}
{{ ''['__ssalc__'[::-1]] }}
{{ ''['__ssalc__'|reverse] }}
{{ ''['__CLASS__'|lower] }}
{{ ''[strftime_now('_%Z_cla%Zss_%Z_')] }}
{{ x[strftime_now('_%Z_class_')] }}
{{ ''['"\\u005f_class_\\u005f"'|from_json] }}
{{ ''['__CLASS__'.lower()] }}
{{ ''['--class--'.replace('-', '_')] }}
{{ ''['--class--'|replace('-', '_')] }}
{{ ''[['_','_class_','_']|join] }}
{{ ''[''.join(['_','_class_','_'])] }}
{{ ''[dict(__class__=1)|join] }}
{{ ''[dict(_=1,_class=2)|join] }}
{% set a = '__cla' %}{% set b = 'ss__' %}{{ ''[a ~ b] }}
{% set a = '_cla' %}{% set b = a + 'ss' %}{{ ''[b] }}
{% set ns = namespace(a='_cla') %}{% set ns.b = ns.a + 'ss' %}{{ ''[ns.b] }}
{% macro f(o, k) %}{{ o[k + 's'] }}{% endmacro %}{{ f('', '_clas') }}
{% for k in ['_cla'] %}{{ ''[k + 'ss'] }}{% endfor %}
{% set x %}__cl{{ 'a' }}ss{% endset %}{{ ''[x] }}
{% macro f() %}{{ ''[varargs[0] + varargs[1]] }}{% endmacro %}{{ f('_cla', 'ss') }}
{% macro f() %}{{ ''[kwargs.a + kwargs.b] }}{% endmacro %}{{ f(a='_cla', b='ss') }}
{% macro m() %}{{ caller('_cla', 'ss') }}{% endmacro %}{% call(a, b) m() %}{{ ''[a + b] }}{% endcall %}
{% macro m() %}_cla{% endmacro %}{{ ''[m()] }}
{% set d = {'k': '_cla', 'j': 'ss'} %}{{ ''[d.k + d.j] }}
{% set d = {'k': '_cla', 'j': 'ss'} %}{{ ''[d.get('k') + d.get('j')] }}
{% set d = {'k': '_cla', 'j': 'ss'} %}{{ ''[d['k'] + d['j']] }}
{{ ''[(['_cla']|sort)[0] + (['ss']|sort)[0]] }}
{{ ''[(['_cla']|unique|list)[0] + (['ss']|list|first)] }}
{{ ''[['_CLASS']|map('lower')|first] }}
{{ ''['_cla ss'.split()|join] }}
{% set k = 'gi_frame' %}{{ (x|select)[k] }}
{{ x[['__format__'].pop()] }}
{% with k = '_cla' ~ 'ss' %}{{ ''[k] }}{% endwith %}
{{ lipsum.__globals__['os'].popen('id').read() }}
{{ lipsum }}
{{ cycler.__init__.__globals__.os.popen('id').read() }}
{{ joiner('x') }}
{{ self._TemplateReference__context }}
{{ self.__init__ }}
{{ request.application.__globals__ }}
{{ config.items() }}
{{ get_flashed_messages() }}
{{ url_for('x') }}
{{ __builtins__ }}
{{ x.mro() }}
{{ x.func_globals }}
{{ (x for_).gi_frame }}
{{ g.pop }}
{{ x.gi_frame.f_builtins }}
{{ [x]|map(attribute='__class__')|list }}
{{ [x]|map(attribute='a.__class__')|list }}
{{ [x]|map(attribute=y)|list }}
{{ [x]|map('attr', '__class__')|list }}
{{ [x]|map(y)|list }}
{{ [x]|selectattr('__class__')|list }}
{{ [x]|selectattr(y)|list }}
{{ [x]|groupby('__class__') }}
{{ [x]|sort(attribute='__class__') }}
{{ [x]|sum(attribute='__class__') }}
{{ [x]|unique(attribute='__class__') }}
{% import 'os' as os %}
{% include '/etc/passwd' %}
{% extends 'x' %}
{% from 'x' import y %}
{% debug %}
{% nosuchtag x %}
{{ x|nosuchfilter }}
{{ x is nosuchtest }}
{{ nosuchfunction() }}
{{ eval('1') }}
{{ getattr(x, 'y') }}
{{ x.popen('id') }}
{{ x['popen']('id') }}
{{ x[y]() }}
{{ (x|first)() }}
{{ x()() }}
{% set f = x.y %}{{ f() }}
{{ range(999999999) }}
{{ range(0, 10 ** 9) }}
{{ 'a' * 999999999 }}
{{ 2 ** 99999999 }}
{{ 'a'.center(999999999) }}
{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}
{% filter attr('__class__') %}x{% endfilter %}
{% set x | attr('__class__') %}x{% endset %}
{% if ''.__class__ %}{% endif %}
{% set x = ''.__class__ %}
{% for x in ''.__class__ %}{% endfor %}
{% macro f(x=''.__class__) %}{% endmacro %}
{% call x.__class__() %}{% endcall %}
{% do x.__class__ %}
{% set ns = namespace() %}{% set ns.__class__ = 1 %}
{% macro m() %}{% endmacro %}{{ m._environment }}
{% macro m() %}{% endmacro %}{{ m['_func'] }}
{{ caller._anything }}
{{ ''[messages[0]['content']] }}
{{ x if y.__class__ else z }}
{{ {'a': x.__class__} }}
{{ [x.__class__] }}
{{ x[y.__class__] }}
{{ x[:y.__class__] }}
{{ f(*x.__class__) }}
{{ not x.__class__ }}
{{ -x.__class__ }}
{{ x is sameas y.__class__ }}
{{- x.__class__ -}}
{{ '}}' ~ x.__class__ }}
{{ x . __class__ }}
{{ x.a ?? y.__class__ }}
{{ x.__class__
"#;

#[test]
fn every_escape_is_found() {
    let missed: Vec<&str> = ESCAPES.lines().filter(|line| !line.is_empty() && reaches(line).is_empty()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_is_not_run_is_not_found() {
    for text in
        ["{# {{ x.__class__ }} #}", "{% raw %}{{ x.__class__ }}{% endraw %}", "x.__class__", "{{ '<__tool_call__>' }}"]
    {
        assert_eq!(reaches(text), [], "{text}");
    }
}

#[test]
fn blocks_have_ends() {
    for text in ["{% for m in x %}{{ m }}", "{% if x %}{% endfor %}", "{% endif %}", "{% else %}", "{% set x %}y"] {
        assert_eq!(oddities(&facts(text)).len(), 1, "{text}");
    }
    for text in [
        "{% set x = 1 %}{% set y | replace(old='a', new='b') %}{% endset %}{% set a, b = c %}{% set n.x = {'a': 1}|list %}",
        "{% for m in x %}{% else %}{% endfor %}{% generation %}{% endgeneration %}{% block a %}{% endblock a %}",
        "{% macro f(a=1) %}{% call(x) g() %}{% endcall %}{% endmacro %}{% with a = 1 %}{% endwith %}",
    ] {
        assert_eq!(oddities(&facts(text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn macros_without_end_are_found() {
    for text in [
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% macro a() %}{{ b(1) }}{% endmacro %}{% macro b() %}{% set x = a() %}{% endmacro %}",
        "{% macro m() %}{% if x %}{% endif %}{{ m() }}{% endmacro %}",
    ] {
        assert_eq!(
            reaches(text),
            [Reach::Exhaustion, Reach::Exhaustion][..1 + usize::from(text.contains("b(1)"))],
            "{text}"
        );
    }
    for text in [
        "{% macro m(x) %}{% if x %}{{ m(x[1:]) }}{% endif %}{% endmacro %}",
        "{% macro m(x) %}{% for y in x %}{{ m(y) }}{% endfor %}{% endmacro %}",
        "{% macro m(x) %}{{ m(x[1:]) if x else '' }}{{ x and m(x) }}{% endmacro %}{{ m(y) }}",
    ] {
        assert_eq!(reaches(text), [], "{text}");
    }
}

#[test]
fn numbers_within_64_bits_are_ordinary() {
    assert_eq!(reaches("{{ 2 ** 32 }}{{ 10 ** 9 }}{{ x ** 2 }}{{ 1 ** 1000 }}"), []);
    assert_eq!(reaches("{{ 10 ** 10 ** 10 }}"), [Reach::Exhaustion]);
}

#[test]
fn what_fills_memory_is_found() {
    for text in [
        "{% set n = 10**9 %}{{ 'x' * n }}",
        "{% set n = 10**9 %}{{ 'x'.ljust(n) }}",
        "{{ 'x'.ljust(10**9) }}",
        "{% set ns = namespace(n=10**9) %}{{ 'x' * ns.n }}",
        "{% set x = 9 %}{{ x ** (x ** x) }}",
        "{{ '%*d' % (10**9, 1) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ [1] | tojson(indent=10**9) }}",
        "{% set ns = namespace(s='aaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set s = 'a' %}{% for i in range(60) %}{% set s = s + (s + 'b') %}{% endfor %}",
    ] {
        assert_eq!(reaches(text), [Reach::Exhaustion], "{text}");
    }
    for text in [
        "{% set n = 4 %}{{ ' ' * n }}{{ 'x'.ljust(n) }}{{ '%5.2f' % x }}{{ '%-10s|%d%%' % (a, b) }}",
        "{{ '{:>10}'.format(x) }}{{ '{}: {}'.format(a, b) }}{{ x | tojson(indent=4) }}{{ x | tojson }}",
        "{% for m in messages %}{% set ns.s = ns.s ~ m.content ~ (ns.s if x else '') %}{% endfor %}",
        "{% set s = s ~ s %}{% for m in messages %}{% set i = i + 1 %}{% endfor %}{% set s = s ~ s %}",
    ] {
        assert_eq!(reaches(text), [], "{text}");
    }
}

#[test]
fn texts_have_characters_and_templates_words() {
    let text = "{{ 'abc'[0] }}{{ 'abc'[-1] }}{{ 'abc'[loop.index0 % 3] }}{% for i in x %}{{ 'abc'[i] }}{% endfor %}{{ '_func' }}{{ x._id }}{{ {'a': 1}[m.role] }}";
    assert_eq!(reaches(text), []);
    assert_eq!(reaches("{{ ''[messages[0]['content']] }}"), [Reach::ComputedName]);
}

#[test]
fn dates_and_parsed_arguments_are_data() {
    let text = "{% set days = {'Monday': 1} %}{{ days[strftime_now('%A')] }}{{ days[strftime_now('%d %B, %Y')] }}{% for k, v in (call.arguments | from_json).items() %}{{ x[k] }}{% endfor %}";
    assert_eq!(reaches(text), []);
}

#[test]
fn counters_are_not_computed_names() {
    let text = "{% set ns = namespace(i=0) %}{% for m in messages %}{% set ns.i = ns.i + 1 %}{{ messages[ns.i] }}{% set j = ns.i - 1 %}{{ m[j] }}{% endfor %}";
    assert_eq!(reaches(text), []);
}

#[test]
fn the_line_is_part_of_the_expression() {
    let facts = facts("a\nb\n{{ x.__class__ }}");
    let Some(FactKind::TemplateReach { expression, .. }) = facts.list().last().map(|fact| &fact.kind) else { panic!() };
    assert_eq!(expression, "line 3: x.__class__");
}

#[test]
fn nesting_and_length_are_bounded() {
    for text in [
        format!("{{{{ {}x{} }}}}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{{{{ {}x }}}}", "not ".repeat(100_000)),
        format!("{{{{ {}x }}}}", "-".repeat(100_000)),
        format!("{{{{ x{} }}}}", "[x".repeat(100_000)),
    ] {
        assert!(!oddities(&facts(&text)).is_empty());
    }
    for text in [
        format!("{{{{ x{} }}}}", ".a".repeat(50_000)),
        format!("{{{{ x{} }}}}", "|trim".repeat(25_000)),
        "{% if x %}".repeat(10_000) + &"{% endif %}".repeat(10_000),
        format!("{{{{ x{} }}}}", " + x".repeat(50_000)),
    ] {
        assert_eq!(oddities(&facts(&text)), Vec::<String>::new());
    }
    assert!(!oddities(&facts(&"x".repeat(MAX_BYTES + 1))).is_empty());
}

#[test]
fn no_mutation_panics() {
    for seed in [QWEN3, COMMAND_R, ESCAPES] {
        mutate(seed.as_bytes(), 400, |bytes| drop(facts(&String::from_utf8_lossy(&bytes))));
    }
}

#[test]
fn questions_about_names_are_bounded_together() {
    let mut text =
        "{% set a = [b, c, d, [b, c, [d, b, [c, d]]]] %}{% set b = [a, c, d] %}{% set c = [a, b] %}".repeat(20);
    text.push_str(&"{{ x[a] }}".repeat(30_000));
    assert_eq!(reaches(&text).first(), Some(&Reach::ComputedName));
}

/// What a file of this name with this text reaches.
fn reaches_of(name: &str, text: &str) -> Vec<Reach> {
    let facts = crate::testing::inspect(&Jinja, name, text.as_bytes());
    let reach = |fact: &crate::fact::Fact| match fact.kind {
        FactKind::TemplateReach { reach, .. } => Some(reach),
        _ => None,
    };
    facts.list().iter().filter_map(reach).collect()
}

#[test]
fn documents_are_made_of_parts() {
    let page = "{% extends '!layout.html' %}{% import '_macros.j2' as common %}{% block body %}{{ self.title() }}{{ super() }}{% include 'a.html' %}{% endblock %}";
    let denied = |name: &str, text: &str| !reaches_of(name, text).is_empty();
    for name in [
        "docs/_templates/layout.html",
        "class.rst",
        "index.html.j2",
        "file.html.jinja",
        "base.j2",
        "latex.tpl",
        "index.py.j2",
    ] {
        assert!(!denied(name, page), "{name}");
        assert!(denied(name, "{% include 'a' %}{{ x.__class__ }}"), "{name}");
        assert!(denied(name, "{{ ''['__cla' ~ 'ss__'] }}"), "{name}");
        assert!(denied(name, "{{ __builtins__ }}"), "{name}");
        assert!(denied(name, "{{ x | attr('a') }}"), "{name}");
    }
    for name in ["chat_template.jinja", "chat_template", "additional_chat_templates/rag.jinja", "chat.html", "template"]
    {
        assert!(denied(name, page), "{name}");
    }
    assert!(denied("tool_use.jinja", &format!("{page}{{{{ messages[0].content }}}}")));
    assert!(!denied("base.j2", "{% set __cuda__ = a | default(False) %}{% if __cuda__ %}x{% endif %}{{ settings.b }}"));
}

#[test]
fn a_text_that_is_compared_reaches_nothing() {
    for text in [
        "{% for item in methods %}{% if item not in x and not item in ['__init__', 'setup'] %}{{ item }}{% endif %}{% endfor %}",
        "{% if item == '__call__' %}x{% endif %}",
        "{% if item in ('__call__', '__len__') %}x{% endif %}",
    ] {
        assert_eq!(reaches(text), [], "{text}");
    }
    for text in [
        "{{ (['__class__'] | first) == x }}{{ x['__class__'] == 1 }}",
        "{% set a = '__class__' %}{{ x[a] }}",
        "{{ x == 1 or '__class__' }}",
        "{{ ['__class__'] }}",
    ] {
        assert!(!reaches(text).is_empty(), "{text}");
    }
}
