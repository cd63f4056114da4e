# Lexica (lexicon/LANGUAGE.tsv) as rows of pql.lexicon: language, kind, topic, pattern, version. What isn't ASCII is written as bytes, since
# the database may have another encoding. Run it with LC_ALL=C: it counts bytes.
BEGIN {
  FS = "\t"
  for (i = 1; i < 256; i++) code[sprintf("%c", i)] = sprintf("%02x", i)
}
FNR == 1 { language = FILENAME; sub(/.*\//, "", language); sub(/\.tsv$/, "", language) }
{ sub(/\r$/, "") }
/^#/ || /^$/ { next }
NF != 2 { print FILENAME ":" FNR ": a line is a topic or !kind, one tab, and a pattern" > "/dev/stderr"; exit 1 }
seen[language, $0]++ { print FILENAME ":" FNR ": the line is there already" > "/dev/stderr"; exit 1 }
{
  kind = "topic"; topic = $1
  if (topic ~ /^!/) { kind = substr(topic, 2); topic = "" }
  printf "%s  ('%s', '%s', '%s', %s, '%s')", (rows++ ? ",\n" : ""), language, kind, topic, literal($2), version
}
END { print "" }

function literal(pattern, i, bytes) {
  if (pattern !~ /[\200-\377]/) return "$p$" pattern "$p$"
  for (i = 1; i <= length(pattern); i++) bytes = bytes code[substr(pattern, i, 1)]
  return "pql._shipped_pattern('" bytes "')"
}
