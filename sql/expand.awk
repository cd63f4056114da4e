# Expands the templates of sql/src, on their way into the install script.
#
#   --@ for conditions   what follows, up to --@ end, once for 1 condition, for 2, up to 8:
#   --@ end              {conditions} is "c1 boolean, c2 boolean", {booleans} is "boolean, boolean"

function emit(text, name) {
  for (name in value) text = replaced(text, "{" name "}", value[name])
  print text
}

function replaced(text, what, by, at, done) {
  for (done = ""; at = index(text, what); text = substr(text, at + length(what))) done = done substr(text, 1, at - 1) by
  return done text
}

# The line of the --@ end that goes with the directive there.
function end_of(first, at, depth) {
  for (at = first; at <= NR; at++) {
    if (line[at] ~ /^--@ for /) depth++
    if (line[at] == "--@ end" && --depth == 0) return at
  }
  print "no --@ end for: " line[first] > "/dev/stderr"
  exit 1
}

function expand(from, to, at, end, n) {
  for (at = from; at < to; at++) {
    if (line[at] !~ /^--@/) {
      emit(line[at])
      continue
    }
    if (line[at] != "--@ for conditions") {
      print "unknown directive: " line[at] > "/dev/stderr"
      exit 1
    }
    end = end_of(at)
    value["conditions"] = value["booleans"] = ""
    for (n = 1; n <= 8; n++) {
      value["conditions"] = value["conditions"] (n > 1 ? ", " : "") "c" n " boolean"
      value["booleans"] = value["booleans"] (n > 1 ? ", " : "") "boolean"
      expand(at + 1, end)
    }
    at = end
  }
}

{ line[NR] = $0 }
END { expand(1, NR + 1) }
