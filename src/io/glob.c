/* Patterns over the local file system: *, ?, [a-z], [!a-z] within a name, ** for any number of folders, {a,b} for
 * alternatives, \ before a character that stands for itself.
 *
 * Braces are written out first, so that the walk knows names alone. A name that begins with a dot is matched by a
 * pattern that does so too. A folder stands for the files below it that are no one's secret (names with . or _ in front
 * are how Spark and Hive mark theirs). */
#include "io/store_internal.h"
#include "os/os.h"

enum { DEPTH_MAX = 64, ALTERNATIVES_MAX = 1024 };

static bool is_wild(wr_str s) {
    for (uint32_t i = 0; i < s.size; i++) {
        if (strchr("*?[\\", s.data[i])) return true;
    }
    return false;
}

/* Matches one character against the class that begins behind '[' at *at; moves *at behind its ']'. A class that does
 * not end is a plain '['. */
static bool match_class(wr_str p, uint32_t *at, char c) {
    uint32_t i = *at;
    bool negated = i < p.size && (p.data[i] == '!' || p.data[i] == '^'), found = false;
    uint32_t first = i += negated;
    for (; i < p.size && (p.data[i] != ']' || i == first); i++) {
        char low = p.data[i], high = low;
        if (i + 2 < p.size && p.data[i + 1] == '-' && p.data[i + 2] != ']') {
            high = p.data[i + 2];
            i += 2;
        }
        found |= (uint8_t)c >= (uint8_t)low && (uint8_t)c <= (uint8_t)high;
    }
    if (i >= p.size) return c == '[';
    *at = i + 1;
    return found != negated;
}

bool wr_glob_match(wr_str p, wr_str name) {
    if (name.size && name.data[0] == '.' && !(p.size && p.data[0] == '.')) return false;
    uint32_t i = 0, k = 0, star = UINT32_MAX, star_k = 0;
    while (k < name.size) {
        uint32_t next = i + 1;
        bool same = false;
        if (i < p.size && p.data[i] == '*') {
            star = i++;
            star_k = k;
            continue;
        }
        if (i < p.size) {
            char c = p.data[i];
            if (c == '\\' && i + 1 < p.size) {
                same = p.data[i + 1] == name.data[k];
                next = i + 2;
            } else if (c == '[') {
                same = match_class(p, &next, name.data[k]);
            } else {
                same = c == '?' || c == name.data[k];
            }
        }
        if (same) {
            i = next;
            k++;
        } else if (star != UINT32_MAX) {
            i = star + 1;
            k = ++star_k;
        } else {
            return false;
        }
    }
    while (i < p.size && p.data[i] == '*') i++;
    return i == p.size;
}

/* ---- the walk ---- */

typedef struct walk {
    wr_object_list *list;
    wr_text *path;  /* of the folder that is listed, with a slash behind it, or empty */
    wr_str pattern; /* what is left of it */
    unsigned depth;
    bool all; /* every file below, for a folder and for ** */
    wr_error *err;
} walk;

static wr_status walk_pattern(walk *w);

static wr_status add_file(walk *w) {
    wr_file_info info;
    wr_status status = wr_path_stat(w->path->data, &info, w->err);
    if (status == WR_NOT_FOUND) return WR_OK; /* a link that leads nowhere, or gone since */
    if (status != WR_OK || info.is_folder) return status;
    return wr_object_list_add(w->list, wr_text_view(w->path), info.size_bytes, info.modified_ns, w->err);
}

/* Goes on below the name that was added to the path, then takes it off again. */
static wr_status descend(const walk *w, wr_str name, bool is_folder, wr_str rest, bool all) {
    size_t size = w->path->size;
    wr_text_add(w->path, name.data, name.size);
    if (is_folder) wr_text_addz(w->path, "/");
    if (w->path->failed) return wr_fail_memory(w->err, size + name.size, "a path");
    walk below = {w->list, w->path, rest, w->depth + 1, all, w->err};
    wr_status status = WR_OK;
    if (is_folder) {
        status = below.depth > DEPTH_MAX
                     ? wr_fail(w->err, WR_LIMIT, "'%s' is more than %d folders deep", w->path->data, DEPTH_MAX)
                     : walk_pattern(&below);
    } else {
        status = add_file(&below);
    }
    w->path->size = size;
    w->path->data[size] = 0;
    return status;
}

static wr_status each_below(void *user, const char *name, bool is_folder) {
    const walk *w = user;
    if (name[0] == '.' || name[0] == '_') return WR_OK;
    return descend(w, wr_str_from(name), is_folder, (wr_str){0}, true);
}

static wr_str first_component(wr_str pattern, wr_str *rest) {
    const char *slash = pattern.size ? memchr(pattern.data, '/', pattern.size) : NULL;
    uint32_t size = slash ? (uint32_t)(slash - pattern.data) : pattern.size;
    *rest = slash ? (wr_str){slash + 1, pattern.size - size - 1} : (wr_str){0};
    return (wr_str){pattern.data, size};
}

static wr_status each_name(void *user, const char *name, bool is_folder) {
    const walk *w = user;
    wr_str rest, component = first_component(w->pattern, &rest), text = wr_str_from(name);
    bool last = !rest.data;
    if (wr_str_equal(component, WR_STR("**"))) {
        if (name[0] == '.') return WR_OK;
        if (is_folder) return descend(w, text, true, w->pattern, false);
        return last ? descend(w, text, false, rest, false) : WR_OK;
    }
    if (last == is_folder || !wr_glob_match(component, text)) return WR_OK;
    return descend(w, text, is_folder, rest, false);
}

static const char *listed(const walk *w) {
    return w->path->size ? w->path->data : ".";
}

static wr_status walk_pattern(walk *w) {
    if (w->all) return wr_path_list(listed(w), each_below, w, w->err);
    wr_str rest, component = first_component(w->pattern, &rest);
    if (wr_str_equal(component, WR_STR("**"))) {
        WR_TRY(wr_path_list(listed(w), each_name, w, w->err));
        if (!rest.data) return WR_OK;
        walk here = *w; /* no folder at all */
        here.pattern = rest;
        return walk_pattern(&here);
    }
    if (is_wild(component)) return wr_path_list(listed(w), each_name, w, w->err);
    if (rest.data) {
        /* A fixed folder that is not there gives nothing. */
        size_t size = w->path->size;
        wr_text_add(w->path, component.data, component.size);
        if (w->path->failed) return wr_fail_memory(w->err, size + component.size, "a path");
        wr_file_info info = {.is_folder = true};
        wr_status status = component.size ? wr_path_stat(w->path->data, &info, w->err) : WR_OK;
        w->path->size = size;
        if (w->path->data) w->path->data[size] = 0;
        if (status == WR_NOT_FOUND || !info.is_folder) return WR_OK;
        WR_TRY(status);
        return descend(w, component, true, rest, false);
    }
    return descend(w, component, false, rest, false);
}

/* ---- braces ---- */

/* The end of the brace that opens at `open`, or the pattern's size. */
static uint32_t closing(wr_str pattern, uint32_t open) {
    unsigned depth = 0;
    for (uint32_t i = open; i < pattern.size; i++) {
        if (pattern.data[i] == '\\') {
            i++;
        } else if (pattern.data[i] == '{') {
            depth++;
        } else if (pattern.data[i] == '}' && --depth == 0) {
            return i;
        }
    }
    return pattern.size;
}

static wr_status walk_alternatives(wr_object_list *list, wr_str pattern, unsigned *budget, wr_error *err);

/* The pattern with the brace [open, close] replaced by one of its alternatives. */
static wr_status walk_alternative(wr_object_list *list, wr_str pattern, uint32_t open, uint32_t close, wr_str choice,
                                  unsigned *budget, wr_error *err) {
    wr_text one;
    wr_text_init(&one, list->allocator);
    wr_text_add(&one, pattern.data, open);
    wr_text_add(&one, choice.data, choice.size);
    wr_text_add(&one, pattern.data + close + 1, pattern.size - close - 1);
    wr_status status = one.failed ? wr_fail_memory(err, pattern.size, "a pattern")
                                  : walk_alternatives(list, wr_text_view(&one), budget, err);
    wr_text_deinit(&one);
    return status;
}

static wr_status walk_alternatives(wr_object_list *list, wr_str pattern, unsigned *budget, wr_error *err) {
    uint32_t open = 0, close = pattern.size;
    for (; open < pattern.size; open++) {
        if (pattern.data[open] == '\\') {
            open++;
        } else if (pattern.data[open] == '{' && (close = closing(pattern, open)) < pattern.size) {
            break;
        }
    }
    if (open >= pattern.size) {
        if ((*budget)-- == 0)
            return wr_fail(err, WR_LIMIT, "the pattern has more than %d alternatives", ALTERNATIVES_MAX);
        wr_text path;
        wr_text_init(&path, list->allocator);
        walk w = {list, &path, pattern, 0, false, err};
        wr_status status = walk_pattern(&w);
        wr_text_deinit(&path);
        return status;
    }
    unsigned depth = 0;
    uint32_t from = open + 1;
    for (uint32_t i = from; i <= close; i++) {
        char c = pattern.data[i];
        if (c == '\\') {
            i++;
        } else if (i == close || (c == ',' && depth == 0)) {
            WR_TRY(walk_alternative(list, pattern, open, close, (wr_str){pattern.data + from, i - from}, budget, err));
            from = i + 1;
        } else {
            depth += (c == '{') - (c == '}');
        }
    }
    return WR_OK;
}

/* ---- a plain path ---- */

typedef struct nearest {
    wr_str wanted;
    uint32_t distance;
    char name[256];
} nearest;

static wr_status each_near(void *user, const char *name, bool is_folder) {
    (void)is_folder;
    nearest *n = user;
    size_t size = strlen(name);
    uint32_t distance = wr_str_distance(n->wanted, wr_str_from(name), n->distance);
    if (distance < n->distance && size < sizeof n->name) {
        n->distance = distance;
        memcpy(n->name, name, size + 1);
    }
    return WR_OK;
}

/* Adds the nearest name of the same folder to an error that says WR_NOT_FOUND. */
static wr_status hint_nearest(const char *path, wr_error *err) {
    const char *slash = strrchr(path, '/');
    wr_str name = wr_str_from(slash ? slash + 1 : path);
    char folder[1024] = ".";
    size_t size = slash ? (size_t)(slash - path) + 1 : 0;
    if (size >= sizeof folder) return WR_NOT_FOUND;
    if (size) {
        memcpy(folder, path, size);
        folder[size] = 0;
    }
    nearest n = {.wanted = name, .distance = name.size / 2 + 1};
    if (wr_path_list(folder, each_near, &n, NULL) != WR_OK || !n.name[0]) return WR_NOT_FOUND;
    return wr_hint(err, "did you mean '%s%s'?", size ? folder : "", n.name);
}

wr_status wr_glob(wr_object_list *list, wr_str pattern, wr_error *err) {
    wr_text path;
    wr_text_init(&path, list->allocator);
    wr_text_add(&path, pattern.data, pattern.size);
    if (path.failed) return wr_fail_memory(err, pattern.size, "a path");
    bool wild = is_wild(pattern) || (pattern.size && memchr(pattern.data, '{', pattern.size));
    wr_file_info info;
    wr_status status = wr_path_stat(path.data, &info, err);
    if (status == WR_OK && !info.is_folder) {
        status = wr_object_list_add(list, pattern, info.size_bytes, info.modified_ns, err);
    } else if (status == WR_OK) {
        if (path.data[path.size - 1] != '/') wr_text_addz(&path, "/");
        walk w = {list, &path, {0}, 0, true, err};
        status = path.failed ? wr_fail_memory(err, path.size, "a path") : walk_pattern(&w);
        if (status == WR_OK && !list->count)
            status = wr_fail(err, WR_NOT_FOUND, "the folder '%s' has no files", path.data);
    } else if (status == WR_NOT_FOUND && wild) {
        unsigned budget = ALTERNATIVES_MAX;
        status = walk_alternatives(list, pattern, &budget, err);
        if (status == WR_OK && !list->count) status = wr_fail(err, WR_NOT_FOUND, "no file matches '%s'", path.data);
    } else if (status == WR_NOT_FOUND) {
        status = hint_nearest(path.data, err);
    }
    wr_text_deinit(&path);
    return status;
}
