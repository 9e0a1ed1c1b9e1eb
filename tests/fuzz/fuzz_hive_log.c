/*
 * libFuzzer target: a hive and its logs. The lowest bit of the first byte says whether sums and hashes are put right,
 * so that what lies behind them is reached, bits 1 to 3 which logs are there.
 */

#include "fuzz.h"
#include "tests/unit/hive_craft.h"

#define LIMIT (1u << 20)

/* Sums of the base block and of all entries that stand behind it. */
static void put_right(uint8_t *data, size_t length, bool log)
{
    if (length < 512)
        return;
    memcpy(data, "regf", 4);
    craft_sum(data);
    for (uint64_t at = 512; log && at + 40 <= length;) {
        uint32_t bytes;
        bytes_u32(bytes_of(data, length), at + 4, &bytes);
        bytes &= ~511u;
        if (bytes < 512 || bytes > length - at)
            bytes = 512;
        if (bytes > length - at)
            break;
        craft_u32(data + at + 4, bytes);
        craft_hashes(data + at, bytes);
        at += bytes;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = size > 0 ? bytes_of(data + 1, size - 1) : bytes_of(data, 0), parts[1 + HIVE_LOG_COUNT];
    uint8_t *copies[1 + HIVE_LOG_COUNT];
    struct hive_source hive, logs[HIVE_LOG_COUNT] = {0};
    struct hive_plan plan;
    struct error error = {0};
    if (size == 0)
        return 0;
    for (size_t i = 0; i <= HIVE_LOG_COUNT; i++) {
        cut(rest, &parts[i], &rest);
        copies[i] = malloc(parts[i].length + 1);
        if (parts[i].length > 0)
            memcpy(copies[i], parts[i].data, parts[i].length);
        parts[i].data = copies[i];
        if (data[0] & 1)
            put_right(copies[i], parts[i].length, i > 0);
        if (i > 0 && data[0] & 1u << i)
            logs[i - 1] = craft_source(&parts[i]);
    }
    hive = craft_source(&parts[0]);
    if (hive_plan(&hive, logs, LIMIT, &plan, &error) == 0) {
        require((plan.state == HIVE_STALE) == (plan.why != NULL));
        require(plan.state != HIVE_REPLAYED || plan.is_changed);
        require(plan.size >= parts[0].length && plan.size <= LIMIT);
        uint8_t *whole = calloc(1, (size_t)plan.size);
        memcpy(whole, parts[0].data, parts[0].length);
        if (plan.is_changed) {
            require(hive_apply(&plan, whole, &error) == 0);
            require(memcmp(whole, "regf", 4) == 0);
            struct bytes again = bytes_of(whole, (size_t)plan.size);
            struct hive_source clean = craft_source(&again);
            require(hive_plan(&clean, logs, LIMIT, &plan, &error) == 0 && plan.state == HIVE_CLEAN);
        }
        free(whole);
    } else {
        require(error.code == ERROR_FORMAT || error.code == ERROR_LIMIT);
    }
    for (size_t i = 0; i <= HIVE_LOG_COUNT; i++)
        free(copies[i]);
    return 0;
}
