/* Expressions by libxml2's XPath, with shortcuts for what is most common: a number, a
 * name.
 *
 * The names in an expression are looked up while it runs, and looking one up may evaluate
 * another expression: each level of that nesting has its own XPath context. */
#include "frontend/syntax/expr.h"

#include <ctype.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/names.h"

enum {
    MOST_NESTING = 64,
    MOST_LENGTH = 4096,  /* of an expression or a text */
    MOST_TEXT = 1 << 26, /* bytes of texts that placeholders make, in all */
    MOST_STEPS = 100000,
    WIDEST_NUMBER = 32
};

typedef enum ExprKind { EXPR_number, EXPR_word, EXPR_name, EXPR_xpath } ExprKind;

typedef struct Expr {
    ExprKind kind;
    const char *text; /* interned: the word, the name, or the source */
    double number;
    xmlXPathCompExpr *compiled;
    struct Expr *next; /* of all compiled ones, to free */
} Expr;

struct Exprs {
    Arena *arena;
    Interns *interns;
    Diags *diags;
    xmlDoc *document; /* an XPath context needs a document */
    xmlXPathContext *contexts[MOST_NESTING];
    uint32_t nesting;
    int64_t text_left;
    Expr *compiled;
    Names by_text;
    /* Of the expression that is being evaluated. */
    NameLookup names;
    Loc loc;
    bool lookup_failed;
    const char *unknown_function; /* or NULL */
    bool wrong_arguments;
};

PRINTF_LIKE(2, 3)
static void say_nothing(void *self, const char *format, ...)
{
    (void)self, (void)format; /* libxml2 prints some errors; callers here report all */
}

Exprs *exprs_new(Arena *arena, Interns *interns, Diags *diags)
{
    Exprs *exprs = arena_alloc(arena, sizeof *exprs);
    *exprs = (Exprs){
        .arena = arena, .interns = interns, .diags = diags, .text_left = MOST_TEXT};
    xmlSetGenericErrorFunc(NULL, say_nothing);
    exprs->document = xmlNewDoc(BAD_CAST "1.0");
    xmlDocSetRootElement(exprs->document,
                         xmlNewDocNode(exprs->document, NULL, BAD_CAST "nothing", NULL));
    return exprs;
}

void exprs_free(Exprs *exprs)
{
    for (Expr *expr = exprs->compiled; expr; expr = expr->next)
        xmlXPathFreeCompExpr(expr->compiled);
    for (uint32_t i = 0; i < MOST_NESTING; i++)
        xmlXPathFreeContext(exprs->contexts[i]);
    xmlFreeDoc(exprs->document);
}

/* -- functions and names for XPath -------------------------------------------------- */

static void call_sqrt(xmlXPathParserContext *call, int count)
{
    if (count != 1) {
        xmlXPathErr(call, XPATH_INVALID_ARITY);
        return;
    }
    double x = xmlXPathPopNumber(call);
    xmlXPathReturnNumber(call, sqrt(x));
}

static void refuse_function(xmlXPathParserContext *call, int count)
{
    (void)count;
    xmlXPathErr(call, XPATH_UNKNOWN_FUNC_ERROR);
}

static void call_pow(xmlXPathParserContext *call, int count)
{
    if (count != 2) {
        xmlXPathErr(call, XPATH_INVALID_ARITY);
        return;
    }
    double y = xmlXPathPopNumber(call);
    double x = xmlXPathPopNumber(call);
    xmlXPathReturnNumber(call, pow(x, y));
}

/* if(test, then, otherwise): one of two values. */
static void call_if(xmlXPathParserContext *call, int count)
{
    if (count != 3) {
        xmlXPathErr(call, XPATH_INVALID_ARITY);
        return;
    }
    xmlXPathObject *otherwise = valuePop(call), *then = valuePop(call);
    bool test = xmlXPathPopBoolean(call);
    xmlXPathFreeObject(test ? otherwise : then);
    valuePush(call, test ? then : otherwise);
}

/* clang-format off */
static const char *const functions[] = {
    "boolean", "ceiling", "concat", "contains", "false", "floor",
    "if", "not", "number", "pow", "round", "sqrt", "starts-with",
    "string", "string-length", "substring", "substring-after",
    "substring-before", "translate", "true",
};
/* clang-format on */

/* Called before libxml2 looks a function up itself: notes one that does not exist. */
static xmlXPathFunction find_function(void *self, const xmlChar *name, const xmlChar *uri)
{
    Exprs *exprs = self;
    (void)uri;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i], (const char *)name) == 0)
            return NULL;
    exprs->unknown_function = intern(exprs->interns, (const char *)name);
    return refuse_function;
}

static xmlXPathObject *find_name(void *self, const xmlChar *name, const xmlChar *uri)
{
    Exprs *exprs = self;
    Value value;
    if (exprs->lookup_failed)
        return NULL;
    if (uri ||
        !exprs->names.find(exprs->names.self, intern(exprs->interns, (const char *)name),
                           exprs->loc, &value)) {
        exprs->lookup_failed = true;
        return NULL;
    }
    return value.text ? xmlXPathNewString(BAD_CAST value.text)
                      : xmlXPathNewFloat(value.number);
}

/* Callers report in their own words. */
static void on_xpath_error(void *self, xmlError *error)
{
    Exprs *exprs = self;
    exprs->wrong_arguments |= error->code == XML_XPATH_INVALID_ARITY;
}

static xmlXPathContext *context_for_level(Exprs *exprs)
{
    xmlXPathContext **context = &exprs->contexts[exprs->nesting];
    if (*context)
        return *context;
    *context = xmlXPathNewContext(exprs->document);
    (*context)->node = xmlDocGetRootElement(exprs->document);
    (*context)->error = on_xpath_error;
    (*context)->userData = exprs;
    xmlXPathRegisterVariableLookup(*context, find_name, exprs);
    xmlXPathRegisterFuncLookup(*context, find_function, exprs);
    xmlXPathRegisterFunc(*context, BAD_CAST "sqrt", call_sqrt);
    xmlXPathRegisterFunc(*context, BAD_CAST "pow", call_pow);
    xmlXPathRegisterFunc(*context, BAD_CAST "if", call_if);
    return *context;
}

/* -- compiling ---------------------------------------------------------------------- */

bool is_bare_word(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    while (isalnum((unsigned char)*text) || (*text && strchr("_-./", *text)))
        text++;
    return *text == 0;
}

static bool is_name(const char *text)
{
    return is_bare_word(text) && !strpbrk(text, "./");
}

static bool parse_number(const char *text, double *out)
{
    char *end;
    if (text[0] == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
        return false;
    *out = strtod(text, &end);
    return *end == 0 && isfinite(*out);
}

/* Equal texts share one expression. */
static const Expr *compile(Exprs *exprs, const char *text, Loc loc)
{
    const Expr *known = names_get(&exprs->by_text, text);
    if (known)
        return known;
    Expr *expr = arena_alloc(exprs->arena, sizeof *expr);
    expr->text = text;
    if (parse_number(text, &expr->number)) {
        expr->kind = EXPR_number;
    } else if (is_bare_word(text)) {
        expr->kind = EXPR_word;
    } else if (text[0] == '$' && is_name(text + 1)) {
        expr->kind = EXPR_name;
        expr->text = intern(exprs->interns, text + 1);
    } else {
        expr->kind = EXPR_xpath;
        if (strlen(text) <= MOST_LENGTH)
            expr->compiled = xmlXPathCtxtCompile(context_for_level(exprs), BAD_CAST text);
        if (!expr->compiled) {
            diag_error(exprs->diags, loc,
                       strlen(text) > MOST_LENGTH ? "the expression is too long"
                                                  : "'%.80s' is not an expression",
                       text);
            return NULL;
        }
        expr->next = exprs->compiled;
        exprs->compiled = expr;
    }
    names_set(&exprs->by_text, exprs->arena, text, expr);
    return expr;
}

/* -- evaluating --------------------------------------------------------------------- */

static bool take_result(Exprs *exprs, const Expr *expr, const xmlXPathObject *object,
                        Loc loc, Value *out)
{
    *out = (Value){0};
    if (exprs->unknown_function) {
        unknown_name(exprs->diags, loc, "function", exprs->unknown_function, functions,
                     sizeof functions / sizeof *functions);
        return false;
    }
    if (exprs->wrong_arguments) {
        diag_error(exprs->diags, loc, "'%.80s': wrong number of arguments", expr->text);
        return false;
    }
    if (!object || object->type == XPATH_NODESET || object->type == XPATH_XSLT_TREE) {
        diag_error(exprs->diags, loc, "'%.80s' has no value; constants are written $name",
                   expr->text);
        return false;
    }
    if (object->type == XPATH_STRING)
        out->text = intern(exprs->interns, (const char *)object->stringval);
    else if (object->type == XPATH_BOOLEAN)
        out->number = object->boolval;
    else
        out->number = object->floatval;
    if (out->text && strlen(out->text) > MOST_LENGTH) {
        diag_error(exprs->diags, loc, "'%.80s' is longer than %d bytes", expr->text,
                   MOST_LENGTH);
        return false;
    }
    if (out->text || isfinite(out->number))
        return true;
    diag_error(exprs->diags, loc, "'%.80s' is %s, expected a finite number", expr->text,
               isnan(out->number) ? "not a number" : "infinite");
    return false;
}

static bool run_xpath(Exprs *exprs, const Expr *expr, NameLookup names, Loc loc,
                      Value *out)
{
    if (exprs->nesting + 1 == MOST_NESTING) {
        diag_error(exprs->diags, loc, "constants refer to each other more than %d deep",
                   MOST_NESTING);
        return false;
    }
    xmlXPathContext *context = context_for_level(exprs);
    context->opLimit = MOST_STEPS;
    context->opCount = 0;
    NameLookup outer_names = exprs->names;
    Loc outer_loc = exprs->loc;
    exprs->names = names;
    exprs->loc = loc;
    exprs->lookup_failed = false;
    exprs->unknown_function = NULL;
    exprs->wrong_arguments = false;
    exprs->nesting++;
    xmlXPathObject *object = xmlXPathCompiledEval(expr->compiled, context);
    exprs->nesting--;
    bool failed = exprs->lookup_failed;
    exprs->names = outer_names;
    exprs->loc = outer_loc;
    bool ok = !failed && take_result(exprs, expr, object, loc, out);
    exprs->lookup_failed = false;
    exprs->unknown_function = NULL;
    xmlXPathFreeObject(object);
    return ok;
}

static bool evaluate(Exprs *exprs, const Expr *expr, NameLookup names, Loc loc,
                     Value *out)
{
    switch (expr->kind) {
    case EXPR_number:
        *out = (Value){.number = expr->number};
        return true;
    case EXPR_word:
        *out = (Value){.text = expr->text};
        return true;
    case EXPR_name:
        return names.find(names.self, expr->text, loc, out);
    case EXPR_xpath:
        break;
    }
    return run_xpath(exprs, expr, names, loc, out);
}

bool expr_value(Exprs *exprs, Attribute *attribute, NameLookup names, Value *out)
{
    if (!attribute->expr)
        attribute->expr = compile(exprs, attribute->value, attribute->loc);
    return attribute->expr &&
           evaluate(exprs, attribute->expr, names, attribute->loc, out);
}

/* A text that reads as a number is one: --set values and quoted texts. */
static bool need_number(Exprs *exprs, const char *source, Loc loc, const Value *value,
                        double *out)
{
    *out = value->number;
    if (!value->text || parse_number(value->text, out))
        return true;
    diag_error(exprs->diags, loc, "expected a number, '%.80s' is the text '%.80s'",
               source, value->text);
    return false;
}

bool expr_number(Exprs *exprs, Attribute *attribute, NameLookup names, double *out)
{
    Value value;
    return expr_value(exprs, attribute, names, &value) &&
           need_number(exprs, attribute->value, attribute->loc, &value, out);
}

bool expr_integer(Exprs *exprs, Attribute *attribute, NameLookup names, int64_t *out)
{
    double number;
    if (!expr_number(exprs, attribute, names, &number))
        return false;
    if (number != floor(number) || fabs(number) > 0x1p53) {
        diag_error(exprs->diags, attribute->loc, "%s is %.17g, expected a whole number",
                   attribute->name, number);
        return false;
    }
    *out = (int64_t)number;
    return true;
}

bool expr_condition(Exprs *exprs, Attribute *attribute, NameLookup names, bool *out)
{
    Value value;
    if (!expr_value(exprs, attribute, names, &value))
        return false;
    if (value.text && attribute->expr->kind == EXPR_word) {
        diag_error(exprs->diags, attribute->loc,
                   "%s: '%s' is a text; the constant of that name is $%s",
                   attribute->name, value.text, value.text);
        return false;
    }
    *out = value.text ? value.text[0] != 0 : value.number != 0;
    return true;
}

bool expr_part(Exprs *exprs, const char *text, size_t len, Loc loc, NameLookup names,
               double *out)
{
    Attribute part = {
        .value = intern_span(exprs->interns, text, len), .loc = loc, .name = ""};
    return expr_number(exprs, &part, names, out);
}

/* -- texts and names ---------------------------------------------------------------- */

const char *number_text(Interns *interns, double number)
{
    char text[WIDEST_NUMBER];
    if (number == floor(number) && fabs(number) < 1e15) {
        snprintf(text, sizeof text, "%.0f", number + 0.0);
        return intern(interns, text);
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return intern(interns, text);
}

/* Appends to a text of at most MOST_LENGTH bytes. */
static bool append(char *text, size_t *len, const char *from, size_t count)
{
    if (*len + count > MOST_LENGTH)
        return false;
    memcpy(text + *len, from, count);
    *len += count;
    return true;
}

const char *expr_text(Exprs *exprs, const Attribute *attribute, NameLookup names)
{
    const char *at = attribute->value;
    char text[MOST_LENGTH];
    size_t len = 0;
    bool fits = strlen(at) <= MOST_LENGTH;
    if (fits && !strchr(at, '{'))
        return at;
    while (*at && fits) {
        size_t plain = strcspn(at, "{");
        fits = append(text, &len, at, plain);
        at += plain;
        if (!*at)
            break;
        const char *end = strchr(at, '}');
        const char *name =
            end ? intern_span(exprs->interns, at + 1, (size_t)(end - at - 1)) : "";
        if (!is_name(name)) {
            diag_error(exprs->diags, attribute->loc,
                       "'%s': a placeholder is the name of a constant in braces, {name}",
                       attribute->value);
            return NULL;
        }
        Value value;
        if (!names.find(names.self, name, attribute->loc, &value))
            return NULL;
        const char *put =
            value.text ? value.text : number_text(exprs->interns, value.number);
        fits = fits && append(text, &len, put, strlen(put));
        at = end + 1;
    }
    exprs->text_left -= (int64_t)len;
    if (!fits || exprs->text_left < 0) {
        diag_error(exprs->diags, attribute->loc,
                   "the text is longer than %d bytes, or too often used", MOST_LENGTH);
        return NULL;
    }
    return intern_span(exprs->interns, text, len);
}
