/* What the fuzz targets share: each is one file x.c here with the entry of libFuzzer, its corpus in corpus/x/. Built
 * plainly a target replays the files it is given (replay.c); with WEIR_FUZZ it searches for new ones. */
#ifndef WR_TESTS_FUZZ_FUZZ_H
#define WR_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input, in every build. */
#define WR_FUZZ_REQUIRE(condition)                                                                                     \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
