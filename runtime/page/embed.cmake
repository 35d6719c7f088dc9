# Writes C with the bytes of the page's style and script, and the digest of the script.
#     cmake -DOUT=... -DCSS=... -DJS=... -P embed.cmake
function(add_bytes name hex)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," list "${hex}")
  string(APPEND text "const unsigned char ${name}[] = {${list}};\nconst size_t ${name}_len = ${bytes};\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()

set(text "#include \"runtime/page/page_parts.h\"\n")
file(READ ${CSS} hex HEX)
add_bytes(page_css "${hex}")
file(READ ${JS} hex HEX)
add_bytes(page_js "${hex}")
file(SHA256 ${JS} hex)
add_bytes(page_js_digest "${hex}")
file(WRITE ${OUT} "${text}")
