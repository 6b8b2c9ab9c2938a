/* Texts that are put together of the bytes of others: interpolations of texts and whole numbers, and texts in a row. */

#include "values.h"

/* How many bytes a string has and where; NULL where Swift must look. A short one lies in its own words. */
static inline const char *bytes_of(const act_string *s, ptrdiff_t *count) {
    const uint64_t kind = s->words[1] >> 60;
    if ((kind | 4) == 0xE) {
        *count = s->words[1] >> 56 & 0xF;
        return (const char *)s->words;
    }
    if ((kind != 0 && kind != 8) || !(s->words[0] >> 61 & 1)) return NULL;
    *count = byte_count(*s);
    return string_bytes(*s);
}

/* Up to eight bytes as a word. (One by one they would have to wait for each other in memory.) */
static inline uint64_t word_of(const uint8_t *bytes, ptrdiff_t count) {
    if (count == 0) return 0;
    if (count < 4) return bytes[0] | (uint64_t)bytes[count / 2] << (8 * (count / 2)) | (uint64_t)bytes[count - 1] << (8 * (count - 1));
    uint32_t first, last;
    memcpy(&first, bytes, 4);
    memcpy(&last, bytes + count - 4, 4);
    return first | (uint64_t)last << (8 * (count - 4));
}

bool act_short_string(const void *bytes, ptrdiff_t count, act_string *result) {
    if (count > 15) return false;
    act_string s = {{word_of(bytes, count < 8 ? count : 8), count > 8 ? word_of((const uint8_t *)bytes + 8, count - 8) : 0}};
    if ((s.words[0] | s.words[1]) & 0x8080808080808080) return false;
    s.words[1] |= (uint64_t)(0xE0 | count) << 56;
    *result = s;
    return true;
}

/* The digits of a whole number from 1 on; returns how many. */
static inline ptrdiff_t put_digits(char *to, uint64_t number) {
    char digits[20];
    ptrdiff_t first = 20;
    for (; number >> 32; number /= 10) digits[--first] = (char)('0' + number % 10);
    for (uint32_t rest = (uint32_t)number; rest; rest /= 10) digits[--first] = (char)('0' + rest % 10);
    memcpy(to, digits + first, (size_t)(20 - first));
    return 20 - first;
}

ptrdiff_t act_interpolate(const act_part *parts, ptrdiff_t count, const void *registers, char *to, ptrdiff_t room) {
    ptrdiff_t size = 0;
    for (const act_part *part = parts; part < parts + count; part++) {
        const act_string *string = &part->text;
        if (part->place >= 0) {
            const act_value *v = (const act_value *)registers + part->place;
            if (v->tag == act_tag_number) {
                const double magnitude = fabs(v->number);
                if (!(magnitude < 1e15 && magnitude >= 1) || (double)(int64_t)v->number != v->number || room - size < 17) return -1;
                if (v->number < 0) to[size++] = '-';
                size += put_digits(to + size, (uint64_t)magnitude);
                continue;
            }
            if (v->tag != act_tag_text) return -1;
            string = &((const act_text *)v->object)->string;
        }
        ptrdiff_t more;
        const char *bytes = bytes_of(string, &more);
        if (bytes == NULL || more > room - size) return -1;
        memcpy(to + size, bytes, (size_t)more);
        size += more;
    }
    return size;
}

ptrdiff_t act_size_of_texts(const void *values, ptrdiff_t count) {
    ptrdiff_t sum = 0, size;
    for (const act_value *v = values, *end = v + count; v < end; v++) {
        if (v->tag != act_tag_text || !bytes_of(&((const act_text *)v->object)->string, &size)) return -1;
        sum += size;
    }
    return sum;
}

ptrdiff_t act_join_texts(const void *values, ptrdiff_t count, const char *separator, ptrdiff_t separator_size, char *to, ptrdiff_t room, ptrdiff_t *size) {
    char *place = to, *const end = to + room;
    const act_value *v = values;
    for (const act_value *last = v + count; v < last; v++) {
        ptrdiff_t more;
        const act_string *string = &((const act_text *)v->object)->string;
        const char *bytes = bytes_of(string, &more);
        if (end - place < 16 || more > end - place - separator_size) break;
        if (more < 16) memcpy(place, bytes, is_short(*string) ? 16 : (size_t)more); else memcpy(place, bytes, (size_t)more);
        place += more;
        if (separator_size == 1) *place = *separator; else memcpy(place, separator, (size_t)separator_size);
        place += separator_size;
    }
    *size = place - to;
    return v - (const act_value *)values;
}
