# Expands the templates of sql/src, on their way into the install script.
#
#   --@ for conditions      what follows, up to --@ end, once for 1 condition, for 2, up to 8:
#                           {conditions} is "c1 boolean, c2 boolean", {booleans} is "boolean, boolean"
#   --@ for times           once for times that are timestamptz, for timestamp, and for bigint: {time}, {length} and {lengths} are
#                           types of arguments, {instant} and {span} of results; {_times} is what names have in them, {times_are}
#                           what comments have at their end, and {preferred} whether this is what an untyped null is
#   --@ define state        what follows, up to --@ end, is what every type of states has
#   --@ state NAME COMMENT  is replaced by that, with NAME for {state} and COMMENT for {about}
#   --@ file NAME           is replaced by that file, as it is
#   --@ comments RELATION OTHER COLUMN...
#                           comments on columns of RELATION: those on OTHER's, which are made before; NEW=OLD where names differ

function filled(text, name) {
  for (name in value) text = replaced(text, "{" name "}", value[name])
  return text
}

function replaced(text, what, by, at, done) {
  for (done = ""; at = index(text, what); text = substr(text, at + length(what))) done = done substr(text, 1, at - 1) by
  return done text
}

function fail(at, problem) {
  print problem ": " line[at] > "/dev/stderr"
  exit 1
}

# The line of the --@ end that goes with the directive there.
function end_of(first, at, depth) {
  for (at = first; at <= NR; at++) {
    if (line[at] ~ /^--@ (for|define) /) depth++
    if (line[at] == "--@ end" && --depth == 0) return at
  }
  fail(first, "no --@ end")
}

function for_conditions(from, to, n) {
  value["conditions"] = value["booleans"] = ""
  for (n = 1; n <= 8; n++) {
    value["conditions"] = value["conditions"] (n > 1 ? ", " : "") "c" n " boolean"
    value["booleans"] = value["booleans"] (n > 1 ? ", " : "") "boolean"
    expand(from, to)
  }
}

function for_times(from, to) {
  times("", "timestamptz", "interval", "timestamptz", "interval", "", from, to)
  times("_timestamp", "timestamp", "interval", "timestamp", "interval", " Times are without time zone.", from, to)
  times("_bigint", "pql.epoch", "pql.epoch_span", "bigint", "bigint", " Times are numbers.", from, to)
  value["preferred"] = "true"
}

function times(name, time, length_, instant, span, are, from, to) {
  value["_times"] = name
  value["time"] = time
  value["length"] = length_
  value["lengths"] = span "[]"
  value["instant"] = instant
  value["span"] = span
  value["times_are"] = are
  value["preferred"] = name == "" ? "true" : "false"
  expand(from, to)
}

function state(name_and_comment, space) {
  space = index(name_and_comment, " ")
  value["state"] = substr(name_and_comment, 1, space - 1)
  value["about"] = substr(name_and_comment, space + 1)
  expand(state_from, state_to)
}

function file(name, row, read) {
  while ((read = (getline row < name)) > 0) print row
  if (read < 0) {
    print "no file " name > "/dev/stderr"
    exit 1
  }
  close(name)
}

# Notes the comment on a column, if the line is one.
function note_comment(row, words) {
  if (row !~ /^COMMENT ON COLUMN pql\.[^ ]+ IS /) return
  split(row, words, " ")
  said[words[4]] = substr(row, index(row, " IS "))
}

function comments(at, words, n, i, names, old) {
  n = split(line[at], words, " ")
  for (i = 5; i <= n; i++) {
    if (split(words[i], names, "=") < 2) names[2] = names[1]
    old = "pql." words[4] "." names[2]
    if (!(old in said)) fail(at, "no comment on " old)
    say("COMMENT ON COLUMN pql." words[3] "." names[1] said[old])
  }
}

function say(row) {
  note_comment(row)
  print row
}

function expand(from, to, at, end) {
  for (at = from; at < to; at++) {
    if (line[at] !~ /^--@/) {
      say(filled(line[at]))
    } else if (line[at] ~ /^--@ comments /) {
      comments(at)
    } else if (line[at] ~ /^--@ state /) {
      state(substr(filled(line[at]), length("--@ state ") + 1))
    } else if (line[at] ~ /^--@ file /) {
      file(substr(line[at], length("--@ file ") + 1))
    } else {
      end = end_of(at)
      if (line[at] == "--@ for conditions") {
        for_conditions(at + 1, end)
      } else if (line[at] == "--@ for times") {
        for_times(at + 1, end)
      } else if (line[at] == "--@ define state") {
        state_from = at + 1
        state_to = end
      } else {
        fail(at, "unknown directive")
      }
      at = end
    }
  }
}

BEGIN { value["preferred"] = "true" }
{ line[NR] = $0 }
END { expand(1, NR + 1) }
