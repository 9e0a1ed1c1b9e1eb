/* Dates and times as Windows writes them into the registry. */

#include "facts_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define FILETIME_OF_1970 (UINT64_C(11644473600) * 10000000)

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool is_date(int year, int month, int day)
{
    return year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
}

static int64_t days_since_1970(int year, int month, int day)
{
    int64_t days = day - 1;
    for (int y = 1970; y < year; y++)
        days += 365 + is_leap(y);
    for (int m = 1; m < month; m++)
        days += days_of_month(year, m);
    return days;
}

int64_t facts_time_from_filetime(uint64_t filetime)
{
    return filetime <= FILETIME_OF_1970 ? 0 : (int64_t)((filetime - FILETIME_OF_1970) / 10);
}

static void put_date(int year, int month, int day, char date[FACTS_DATE_SIZE])
{
    date[0] = 0;
    if (is_date(year, month, day))
        snprintf(date, FACTS_DATE_SIZE, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
                 (unsigned)day % 100);
}

void facts_date_of_time(int64_t time, char date[FACTS_DATE_SIZE])
{
    int64_t days = time / DAY;
    int year = 1970, month = 1;

    date[0] = 0;
    if (time <= 0 || days >= days_since_1970(9999, 12, 31))
        return;
    for (; days >= 365 + is_leap(year); year++)
        days -= 365 + is_leap(year);
    for (; days >= days_of_month(year, month); month++)
        days -= days_of_month(year, month);
    put_date(year, month, (int)days + 1, date);
}

void facts_date_of_text(const char *text, char date[FACTS_DATE_SIZE])
{
    int a, b, c, end = 0;

    date[0] = 0;
    if (sscanf(text, "%2d/%2d/%4d%n", &a, &b, &c, &end) == 3 && text[end] == 0)
        put_date(c, a > 12 ? b : a, a > 12 ? a : b, date);
    else if (sscanf(text, "%2d.%2d.%4d%n", &a, &b, &c, &end) == 3 && text[end] == 0)
        put_date(c, b, a, date);
    else if (sscanf(text, "%4d-%2d-%2d%n", &a, &b, &c, &end) == 3 && text[end] == 0)
        put_date(a, b, c, date);
    else if (strlen(text) == 8 && sscanf(text, "%4d%2d%2d%n", &a, &b, &c, &end) == 3 && text[end] == 0)
        put_date(a, b, c, date);
}

int64_t facts_time_of_clone_tag(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4];
    int day, hour, minute, second, year;

    if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", name, &day, &hour, &minute, &second, &year) != 6)
        return 0;
    const char *found = strlen(name) == 3 ? strstr(months, name) : NULL;
    if (found == NULL || (found - months) % 3 != 0)
        return 0;
    int month = (int)(found - months) / 3 + 1;
    if (!is_date(year, month, day) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return 0;
    return days_since_1970(year, month, day) * DAY + (int64_t)(hour * 3600 + minute * 60 + second) * SECOND;
}
