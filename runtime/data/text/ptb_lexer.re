/* What counts as a word of a caption: the behaviour of Stanford's PTBTokenizer of 2014,
 * with which COCO's caption evaluation is published, as rules for re2c.
 *
 * Code points become class bytes first (ptb_class): ASCII stands for itself, and of all
 * others only those are told apart that a rule tells apart. So the rules are a small
 * automaton over bytes, whatever Unicode holds.
 *
 * The longest match wins, and of equally long ones the rule that stands first. "a / b" is
 * an `a` before a `b`, and counts with both lengths. '...' matches letters of either
 * case, "..." and [...] as they are written.
 *
 * Rules of the original that differ only in where a full stop or a quote goes are one
 * rule here, since neither is counted; so are those for the ends of sentences. Code
 * points beyond U+FFFF are no part of words there, nor here. */
#include "runtime/data/text/ptb_lexer.h"

/*!include:re2c "unicode_categories.re" */

/*!re2c
    re2c:yyfill:enable = 0;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = cursor;
    re2c:define:YYMARKER = marker;
*/

unsigned char ptb_class(const char *text, size_t *out_bytes)
{
    const unsigned char *const start = (const unsigned char *)text;
    const unsigned char *cursor = start, *marker;
    unsigned char class;
    /*!local:re2c
    re2c:flags:utf-8 = 1;
    far = [\U00010000-\U0010ffff];

    [\x00-\x7f]                       { class = *start; goto done; }
    [\xad]                            { class = 0x80; goto done; } // soft hyphen
    L \ far                           { class = 0x81; goto done; } // letter
    (Mn | Mc) \ [\u0ece-\U0010ffff]   { class = 0x82; goto done; } // accent
    [\u02c2-\u02c5\u02d2-\u02df\u02e5-\u02ff\u0375\u0384\u0385\u055a-\u055f]
                                      { class = 0x82; goto done; }
    Nd \ far                          { class = 0x83; goto done; } // digit
    [\xa0]                            { class = 0x84; goto done; } // no-break space
    [\u2000-\u200a\u3000]             { class = 0x85; goto done; } // space
    [\u2028\u2029]                    { class = 0x86; goto done; } // newline
    [\x85]                            { class = 0x87; goto done; } // newline or ellipsis
    [\u2026]                          { class = 0x88; goto done; } // ellipsis
    [\x92\u2019]                      { class = 0x89; goto done; } // apostrophe
    [\x91\u2018\u201b]                { class = 0x8a; goto done; } // its like in words
    [\x93\x94\u201a\u201c-\u201f\u2039\u203a\xab\xbb]
                                      { class = 0x8b; goto done; } // quote
    [\x96\x97\u2013-\u2015]           { class = 0x8c; goto done; } // dash
    [\u058a\u2010\u2011]              { class = 0x8d; goto done; } // hyphen
    [\u066b\u066c]                    { class = 0x8e; goto done; } // in numbers
    [\u2044]                          { class = 0x8f; goto done; } // fraction slash
    [\xbc-\xbe\u2153-\u215e]          { class = 0x90; goto done; } // fraction
    [\u207a\u207b\u208a\u208b]        { class = 0x91; goto done; } // raised sign
    [\u2070\xb9\xb2\xb3\u2074-\u2079] { class = 0x92; goto done; } // raised digit
    [\u2080-\u2089]                   { class = 0x93; goto done; } // lowered digit
    [\x80\xa2-\xa5\u20a0\u20ac\u060b\u0e3f\u20a4\uffe0\uffe1\uffe5\uffe6]
                                      { class = 0x94; goto done; } // currency
    [\u3001]                          { class = 0x95; goto done; } // comma
    [\xa1\xbf\u037e\u0589\u061f\u06d4\u0700-\u0702\u07fa\u3002]
                                      { class = 0x96; goto done; } // full stop
    [\xa6-\xa9\xac\xae-\xba\xd7\xf7\u0387\u05be\u05c0\u05c3\u05c6\u05f3\u05f4] |
    [\u0600-\u0603\u0606-\u060a\u060c\u0614\u061b\u061e\u066a\u066d\u0703-\u070d] |
    [\u07f6-\u07f8\u0964\u0965\u0e4f\u1fbd\u2016\u2017\u2020-\u2023\u2030-\u2038\u203b] |
    [\u203e-\u2042\u207c-\u207f\u208c-\u208e\u2100-\u214f\u2190-\u2bff\u3012\u30fb] |
    [\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]
                                      { class = 0x97; goto done; } // other symbol
    [^\x00]                           { class = 0x98; goto done; } // no part of any word
    *                                 { class = 0x98; goto done; }
    */
done:
    *out_bytes = (size_t)(cursor - start);
    return class;
}

bool ptb_is_word_class(unsigned char class)
{
    return (class >= '0' && class <= '9') || (class >= 'A' && class <= 'Z') ||
           (class >= 'a' && class <= 'z') || class == '_' || (class >= 0x81 && class <= 0x83);
}

PtbKind ptb_lex(const unsigned char *classes, size_t *out_count)
{
    const unsigned char *cursor = classes, *marker;
    PtbKind kind;
    /*!local:re2c
    any     = [^\x00];
    nbsp    = "\x84";
    space   = [ \t\x84\x85];
    blank   = space | [\n\r\v\f\x86\x87];
    ascii   = [A-Za-z];
    alnum   = [A-Za-z0-9];
    soft    = "\x80";
    plain_letter = ascii | "\x81";
    digit   = [0-9\x83];
    figure  = plain_letter | digit;
    letter  = plain_letter | soft | "\x82"
            | "&" [aeiouAEIOU] ('acute' | 'grave' | 'uml') ";";
    word    = letter+ ([.!?] letter+)*;

    mark    = ['\x89];
    entity  = '&apos;';
    apos    = mark | entity;
    quoted  = apos | "\x8a";
    short_clitic = [msdMSD];
    long_clitic = 're' | 've' | 'll';
    clitic  = apos (short_clitic | long_clitic);
    negation = 'n' quoted 't';
    negated = (ascii | soft)* [A-MO-Za-mo-z] soft*;

    number  = [-+]? (digit+ | digit* ([.:,\x80\x8e] digit+)+);
    date    = digit{1,2} [-/] digit{1,2} [-/] digit{2,4};
    slash   = "\\"? "/" | "\x8f";
    fraction = (digit{1,4} ([- ] | nbsp))? digit{1,4} slash digit{1,4};
    gap     = " " | nbsp;
    dash    = "-" | gap;
    phone   = ("(" [0-9]{2,3} ")" gap? | ("+" "+"?)? ([0-9]{2,4} dash)? [0-9]{2,4} dash)
              [0-9]{3,4} dash? [0-9]{3,5}
            | (("+" "+"?)? [0-9]{2,4} ".")? [0-9]{2,4} "." [0-9]{3,4} "." [0-9]{3,5};

    hyphen  = [-_\x8d];
    part    = ([dDoOlL] quoted figure)? figure+;
    compound = part (hyphen part)*;
    dotted  = ascii ("." ascii)+
            | ('canada' | 'sino' | 'korean' | 'eu' | 'japan' | 'non') '-u.s'
            | 'u.s.-' ('u.k' | 'u.s.s.r');
    stem    = alnum (alnum | [.,] | soft)* ("-" ((alnum | soft)+ | dotted "."))+;
    either  = alnum+ ("-" ascii+){0,2} ("\\"? "/" alnum+ ("-" ascii+){0,2}){1,2};
    joined  = [A-Z]+ (([+&] | '&amp;') [A-Z]+)+;
    elided  = apos 'n' apos? | [lLdDjJ] apos | 'dunkin' apos | 'somethin' apos | 'ol' apos
            | apos ('em' | [2-9] '0s' | 'til' 'l'? | 'cause')
            | [A-HJ-XZn] quoted plain_letter plain_letter+
            | plain_letter+ [aeiouyAEIOUY] quoted [aeiouA-Z] plain_letter*
            | 'cont\'d' "."? | 'nor\'easter' | 'c\'mon' | 'e\'er' | 's\'mores'
            | 'ev\'ry' | 'li\'l' | 'nat\'l' | 'cap' apos 'n' | 'c' apos 'est';

    handle  = "@" [A-Za-z_] [A-Za-z0-9_]* | "#" word;
    tag     = "<" "/"? [A-Za-z!?] (any \ [>\r\n])* ">";

    month   = 'jan' | 'feb' | 'mar' | 'apr' | 'jun' | 'jul' | 'aug' | 'sep' 't'? | 'oct'
            | 'nov' | 'dec';
    day     = 'mon' | 'tue' 's'? | 'wed' | 'thu' 'rs'? | 'fri';
    state   = 'ala' | 'ariz' | "A" 'rk' | 'calif' | 'colo' | 'conn' | 'dak' | 'del'
            | 'fla' | 'ga' | "I" 'll' | 'ind' | 'kan' 's'? | 'ky' | 'la' | "M" 'ass'
            | 'md' | 'mich' | 'minn' | "M" 'iss' | 'mo' | 'mont' | 'neb' | 'nev' | 'okla'
            | "O" 're' | 'pa' | 'penn' | 'tenn' | 'tex' | 'va' | 'vt' | "W" 'ash'
            | 'wis' 'c'? | 'wyo';
    title   = 'mr' 's'? | 'ms' | 'mx' | 'dr' 's'? | 'prof' 's'? | 'sen' 's'? | 'rep' 's'?
            | 'atty' 's'? | 'lt' | 'col' | 'gen' | 'messrs' | 'gov' 's'? | 'adm' | 'rev'
            | 'maj' | 'sgt' | 'cpl' | 'pvt' | 'capt' | 'st' 'e'? | 'ave' | 'pres'
            | 'lieut' | 'hon' | 'brig' | 'comdr' | 'cmdr' | 'pfc' | 'spc' | 'supt' 's'?
            | 'det'
            | 'mt' | 'ft' | 'adj' | 'adv' | 'asst' | 'assoc' | 'ens' | 'insp' | 'mlle'
            | 'mme' | 'msgr' | 'sfc' | 'jr' | 'sr' | 'bros' | 'ed.d' | 'ph.d' | 'blvd'
            | 'rd' | 'esq';
    company = 'inc' | 'co' 's'? | 'corp' | 'p' 'p'? 't' [yeYE] 's'? | 'ltd' | 'plc' | 'rt'
            | 'bancorp' | 'dept' | 'bhd' | 'assn' | 'univ' | 'intl' | 'sys' | 'invt'
            | 'elec' | 'natl' | 'm' [ft] 'g';
    other   = 'ph' | 'tel' | 'est' | 'ext' | 'sq' | 'etc' | 'al' | 'seq' | 'vs' | 'alex'
            | 'wm' | 'jos' | 'cie' | 'a.k.a' | 'cf' | 'treas';
    short   = (month | day | state | title | company | other | ascii | dotted) ".";
    numbered = ('ca' | 'fig' 's'? | 'prop' | 'no' 's'? | 'art' | 'bldg' | 'pp' | 'op')
               ".";

    dots    = "."{3,5} | ("." gap){2,4} "." | [\x87\x88];
    smiley  = [<>]? [:;=] [-o*']? [()DPdpO\\{@|[\]];
    face    = [-^x=~<>'] "_" [-^x=~<>'] | "(" [-^x=~<>'] [_.]? [-^x=~<>'] ")";
    stop    = [,;:\x95];
    symbol  = [+%&~^|\\\x8f\x91\x97];

    // Two words in one: what is pushed back is the second.
    'cannot' | '\'twas' | 'dunno' { cursor -= 3; kind = PTB_plain; goto done; }
    'gonna' | 'gotta' | 'lemme' | 'gimme' | 'wanna' | apos 'tis'
                                { cursor -= 2; kind = PTB_plain; goto done; }
    tag                         { kind = PTB_spaced; goto done; }
    '&md;' | '&mdash;' | '&ndash;' | "\x8c" { kind = PTB_skip; goto done; }
    '&amp;'                     { kind = PTB_marks; goto done; }
    "&" ('ht' | 'tl' | 'ur' | 'lr' | 'qc' | 'ql' | 'qr' | 'odq' | 'cdq' | "#" [0-9]+) ";"
                                { kind = PTB_plain; goto done; }
    // Re2c finds the place of a "/" cheaply if what follows has one length.
    word / mark short_clitic    { kind = PTB_word; goto done; }
    word / mark long_clitic     { kind = PTB_word; goto done; }
    word / entity short_clitic  { kind = PTB_word; goto done; }
    word / entity long_clitic   { kind = PTB_word; goto done; }
    negated / 'n' (mark | "\x8a") 't' { kind = PTB_hyphened; goto done; }
    negated / 'n' entity 't'    { kind = PTB_hyphened; goto done; }
    word                        { kind = PTB_word; goto done; }
    elided                      { kind = PTB_plain; goto done; }
    'y' apos / plain_letter     { kind = PTB_plain; goto done; }
    handle                      { kind = PTB_plain; goto done; }
    clitic / (any \ ascii)      { kind = PTB_marks; goto done; }
    negation                    { kind = PTB_marks; goto done; }
    date                        { kind = PTB_plain; goto done; }
    number                      { kind = PTB_hyphened; goto done; }
    "\x91"? ("\x92"+ | "\x93"+) { kind = PTB_plain; goto done; }
    fraction                    { kind = PTB_spaced; goto done; }
    "\x90"                      { kind = PTB_marks; goto done; }
    "-" ([rl] [rcs] 'b') "-" | 'c.d.s' | 'pro-' | 'anti-' { kind = PTB_plain; goto done; }
    's' ("&" | '&amp;') ('p-500' | 'ls') { kind = PTB_marks; goto done; }
    either                      { kind = PTB_plain; goto done; }
    [A-Z]* "$" | "#"            { kind = PTB_plain; goto done; }
    "\x94"                      { kind = PTB_marks; goto done; }
    numbered / digit            { kind = PTB_plain; goto done; }
    numbered / blank digit      { kind = PTB_plain; goto done; }
    short                       { kind = PTB_plain; goto done; }
    apos [0-9]{2} / blank       { kind = PTB_plain; goto done; }
    word "." / stop             { kind = PTB_hyphened; goto done; }
    phone                       { kind = PTB_rounded; goto done; }
    ["] | '&quot;' | '&nbsp;'   { kind = PTB_skip; goto done; }
    [<>] | '&lt;' | '&gt;'      { kind = PTB_marks; goto done; }
    smiley / (any \ ascii)      { kind = PTB_rounded; goto done; }
    face                        { kind = PTB_rounded; goto done; }
    [(){}[\]]                   { kind = PTB_marks; goto done; }
    "-"+                        { kind = cursor - classes < 5 ? PTB_skip : PTB_plain;
                                  goto done; }
    dots                        { kind = PTB_skip; goto done; }
    "@"+ | "#"+ | "_"+ | "*"+ | ("\\*"){1,3} { kind = PTB_plain; goto done; }
    stop | [?!]+ | [.\x96=/]    { kind = PTB_plain; goto done; }
    (stem | compound) "." / stop { kind = PTB_hyphened; goto done; }
    stem | compound             { kind = PTB_hyphened; goto done; }
    joined "." / stop           { kind = PTB_marks; goto done; }
    joined                      { kind = PTB_marks; goto done; }
    "'" / ascii (any \ [ \t\n\r\x84]) { kind = PTB_skip; goto done; }
    clitic                      { kind = PTB_marks; goto done; }
    apos | "''" | [`\x89\x8a\x8b]{1,2} { kind = PTB_marks; goto done; }
    "<<" | ">>" | symbol        { kind = PTB_plain; goto done; }
    "\x00"                      { --cursor; kind = PTB_end; goto done; }
    *                           { kind = PTB_skip; goto done; }
    */
done:
    *out_count = (size_t)(cursor - classes);
    return kind;
}

size_t ptb_lex_address(const unsigned char *classes)
{
    const unsigned char *cursor = classes, *marker;
    /*!local:re2c
    inner   = [^\x00 \t\n\f\r"<>|()];
    host    = inner \ [.!?{},];
    url_end = host \ [-];
    domain  = inner \ ['`.!?{}$,-_];
    path    = "/" inner+ url_end;
    url     = 'http' 's'? "://" inner+ url_end;
    site    = ('www.' (host+ ".")+ [A-Za-z]{2,4}
            | (domain+ ".")+ ('com' | 'net' | 'org' | 'edu')) path?;
    local   = inner \ "\x84";
    mail    = [A-Za-z0-9] local* "@" ((local \ [.])+ ".")* (local \ [.])+;

    url | site | mail           { return (size_t)(cursor - classes); }
    *                           { return 0; }
    */
}
