# Lexica (lexicon/LANGUAGE.tsv) as the values of pql.lexicon: language, kind, topic, pattern, origin, version.
BEGIN { FS = "\t" }
FNR == 1 { language = FILENAME; sub(/.*\//, "", language); sub(/\.tsv$/, "", language) }
{ sub(/\r$/, "") }
/^#/ || /^$/ { next }
NF != 2 { print FILENAME ":" FNR ": a line is a topic or !kind, one tab, and a pattern" > "/dev/stderr"; exit 1 }
seen[language, $0]++ { print FILENAME ":" FNR ": the line is there already" > "/dev/stderr"; exit 1 }
{
  kind = "topic"; topic = $1; pattern = $2
  if (topic ~ /^!/) { kind = substr(topic, 2); topic = "" }
  printf "%s  ('%s', '%s', '%s', $p$%s$p$, 'shipped', '%s')", (rows++ ? ",\n" : ""), language, kind, topic, pattern, version
}
END { print "" }
