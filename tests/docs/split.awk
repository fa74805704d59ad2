# Takes the examples out of a page of Markdown; see run. For each one there is a line "NUMBER KIND LINE" on standard
# output and a file out/NUMBER.input; out/NUMBER.expected holds the output it must have, if the page shows one.
function begin_example(of_kind, at) {
    number++
    print number, of_kind, at
    input = out "/" number ".input"
    expected = out "/" number ".expected"
}
# A command behind "$ " goes on in lines behind "> "; what follows, up to the next one, is its output.
function console(    lines, count, i, in_command) {
    count = split(text, lines, "\n") - 1
    if (count == 0 || lines[1] !~ /^\$ /) {
        begin_example("malformed", line)
        return
    }
    for (i = 1; i <= count; i++) {
        if (lines[i] ~ /^\$ /) {
            begin_example("console", line + i)
            printf "" > expected
            in_command = 1
            print substr(lines[i], 3) > input
        } else if (in_command && lines[i] ~ /^> /) {
            print substr(lines[i], 3) > input
        } else {
            in_command = 0
            print lines[i] > expected
        }
    }
}
/^```/ && !open {
    kind = substr($0, 4)
    line = FNR
    text = ""
    open = 1
    next
}
/^```/ {
    open = 0
    if (kind == "text" && shows_output) printf "%s", text > expected
    shows_output = kind == "sql" || kind == "c"
    if (kind == "console") console()
    if (shows_output) {
        begin_example(kind, line)
        printf "%s", text > input
    }
    next
}
open {
    text = text $0 "\n"
    next
}
# Only blank lines stand between an example and its output.
NF { shows_output = 0 }
END {
    if (open) begin_example("malformed", line)
}
