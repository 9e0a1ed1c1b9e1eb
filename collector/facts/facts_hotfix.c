/* Which hotfixes a host lists as installed, in each of the places where Windows keeps them, and what is still under
 * way. */

#include "facts_build.h"
#include "facts_time.h"
#include "proto/cleanup.h"

#include <stdio.h>
#include <strings.h>

#define HOTFIX_ID_SIZE sizeof "KB0000000"
#define UPDATES_DEPTH 3 /* Updates\<product>\<version or service pack>\<id> */

/* CurrentState of a package in Component Based Servicing. */
enum package_state {
    PACKAGE_ABSENT = 0,
    PACKAGE_RESOLVED = 32,
    PACKAGE_STAGED = 64,
    PACKAGE_SUPERSEDED = 80,
    PACKAGE_INSTALLED = 112,
    PACKAGE_PERMANENT = 128,
};

/* What is known of a hotfix besides its id; NULL or "" where it is not. */
struct listing {
    const char *source, *service_pack, *date, *product;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/*
 * The id in the name of a hotfix's key, upper case: 'KB973917', 'Q246009', of .NET 'M947742' and 'S867460', without
 * what follows it ('KB912812-IE6SP1-20060322', 'KB888111WXPSP2'); false where the name is none.
 */
static bool hotfix_id(const char *name, char id[HOTFIX_ID_SIZE])
{
    size_t letters = 0, digits = 0;
    while (letters < 3 && is_letter(name[letters]))
        letters++;
    while (is_digit(name[letters + digits]))
        digits++;
    if (letters < 1 || letters > 2 || digits < 5 || digits > 7)
        return false;
    snprintf(id, HOTFIX_ID_SIZE, "%.*s", (int)(letters + digits), name);
    facts_upper(id);
    if (strncmp(id, "KB", 2) == 0 || (letters == 1 && id[0] == 'Q'))
        return true;
    return letters == 1 && (id[0] == 'M' || id[0] == 'S') && name[letters + digits] == 0;
}

/* 'SP' and a number, as the folders below Updates\<product> are called. */
static bool is_service_pack(const char *name)
{
    return (name[0] == 'S' || name[0] == 's') && (name[1] == 'P' || name[1] == 'p') && is_digit(name[2]) &&
           (name[3] == 0 || (is_digit(name[3]) && name[4] == 0));
}

static int add_hotfix(struct collection *collection, const char *id, const struct listing *listing, struct error *error)
{
    Evenkeel__Hotfix *hotfix = malloc(sizeof *hotfix);
    if (hotfix == NULL)
        return facts_out_of_memory(error);
    evenkeel__hotfix__init(hotfix);
    if (facts_set(collection, &hotfix->id, id, error) == -1 ||
        facts_set(collection, &hotfix->source, listing->source, error) == -1 ||
        facts_set(collection, &hotfix->service_pack, listing->service_pack, error) == -1 ||
        facts_set(collection, &hotfix->install_date, listing->date, error) == -1 ||
        facts_set(collection, &hotfix->product, listing->product, error) == -1) {
        evenkeel__hotfix__free_unpacked(hotfix, NULL);
        return -1;
    }
    return facts_append(collection, "hotfixes", &collection->facts->n_hotfixes, &collection->facts->hotfixes,
                        &hotfix->base, error);
}

static void installed_date(struct collection *collection, struct registry_key *key, char date[FACTS_DATE_SIZE])
{
    static const char *const names[] = {"InstalledDate", "Installed On", "InstallDate"};
    date[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && date[0] == 0; i++) {
        _cleanup_free_ char *text = facts_string(collection, key, names[i]);
        if (text != NULL)
            facts_date_of_text(text, date);
    }
}

/* Windows NT\CurrentVersion\HotFix\<id>: NT 4.0 to Server 2003. */
static int collect_hotfix_key(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\HotFix");

    for (size_t i = 0; key != NULL; i++) {
        _cleanup_(facts_close_key) struct registry_key *child = NULL;
        char id[HOTFIX_ID_SIZE], date[FACTS_DATE_SIZE], service_pack[16] = "";
        uint32_t installed, number;

        if (facts_child(collection, key, i, &child) == 0)
            break;
        if (child == NULL || !hotfix_id(registry_key_name(child), id))
            continue;
        installed_date(collection, child, date);
        if (facts_number(collection, child, "Installed", &installed) ? installed == 0 : date[0] == 0)
            continue;
        if (facts_number(collection, child, "Service Pack", &number) && number > 0 && number < 100)
            snprintf(service_pack, sizeof service_pack, "SP%u", number);
        if (add_hotfix(collection, id, &(struct listing){"hotfix", service_pack, date, ""}, error) == -1)
            return -1;
    }
    return 0;
}

/* The keys below one of Updates: ids, service packs, and with .NET versions. A key is there for as long as its update
 * is. */
static int collect_updates(struct collection *collection, struct registry_key *key, const char *product,
                           const char *service_pack, int depth, struct error *error)
{
    for (size_t i = 0;; i++) {
        _cleanup_(facts_close_key) struct registry_key *child = NULL;
        char id[HOTFIX_ID_SIZE], date[FACTS_DATE_SIZE];

        if (facts_child(collection, key, i, &child) == 0)
            return 0;
        if (child == NULL)
            continue;
        const char *name = registry_key_name(child);
        if (hotfix_id(name, id)) {
            _cleanup_free_ char *installed = facts_string(collection, child, "ThisVersionInstalled");
            if (installed != NULL && (installed[0] == 'N' || installed[0] == 'n'))
                continue;
            installed_date(collection, child, date);
            if (add_hotfix(collection, id, &(struct listing){"updates", service_pack, date, product}, error) == -1)
                return -1;
        } else if (depth < UPDATES_DEPTH) {
            _cleanup_free_ char *pack = strdup(is_service_pack(name) ? name : service_pack);
            if (pack == NULL)
                return facts_out_of_memory(error);
            facts_upper(pack);
            if (collect_updates(collection, child, product == NULL ? name : product, pack, depth + 1, error) == -1)
                return -1;
        }
    }
}

static int collect_updates_keys(struct collection *collection, struct error *error)
{
    static const char *const paths[] = {"SOFTWARE\\Microsoft\\Updates", "SOFTWARE\\Wow6432Node\\Microsoft\\Updates"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, paths[i]);
        if (key != NULL && collect_updates(collection, key, NULL, "", 1, error) == -1)
            return -1;
    }
    return 0;
}

/* A hotfix's own package, not one of the parts it comes in ('Package_2_for_KB…'). */
static bool package_id(const char *name, char id[HOTFIX_ID_SIZE])
{
    static const char prefix[] = "Package_for_";
    return strncasecmp(name, prefix, strlen(prefix)) == 0 && hotfix_id(name + strlen(prefix), id);
}

static int add_state(struct collection *collection, const char *package, uint32_t state, struct error *error)
{
    Evenkeel__ServicingState *servicing = malloc(sizeof *servicing);
    if (servicing == NULL)
        return facts_out_of_memory(error);
    evenkeel__servicing_state__init(servicing);
    servicing->state = state;
    if (facts_set(collection, &servicing->package, package, error) == -1) {
        evenkeel__servicing_state__free_unpacked(servicing, NULL);
        return -1;
    }
    return facts_append(collection, "servicing states", &collection->facts->n_servicing_states,
                        &collection->facts->servicing_states, &servicing->base, error);
}

static int collect_package(struct collection *collection, struct registry_key *key, struct error *error)
{
    const char *name = registry_key_name(key);
    char id[HOTFIX_ID_SIZE], date[FACTS_DATE_SIZE];
    uint32_t state, high, low;
    bool is_hotfix = package_id(name, id);

    if (!facts_number(collection, key, "CurrentState", &state))
        return 0;
    switch (state) {
    case PACKAGE_ABSENT:
    case PACKAGE_RESOLVED:
    case PACKAGE_STAGED:
        return 0;
    case PACKAGE_SUPERSEDED:
        return is_hotfix ? add_state(collection, name, state, error) : 0;
    case PACKAGE_INSTALLED:
    case PACKAGE_PERMANENT:
        if (!is_hotfix)
            return 0;
        facts_number(collection, key, "InstallTimeHigh", &high);
        facts_number(collection, key, "InstallTimeLow", &low);
        facts_date_of_time(facts_time_from_filetime((uint64_t)high << 32 | low), date);
        return add_hotfix(collection, id, &(struct listing){"servicing", "", date, name}, error);
    default:
        return add_state(collection, name, state, error);
    }
}

/* Component Based Servicing: from Vista on. */
static int collect_servicing(struct collection *collection, struct error *error)
{
    static const char *const restarts[] = {
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending",
        "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired",
    };
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages");

    for (size_t i = 0; key != NULL; i++) {
        _cleanup_(facts_close_key) struct registry_key *child = NULL;
        if (facts_child(collection, key, i, &child) == 0)
            break;
        if (child != NULL && collect_package(collection, child, error) == -1)
            return -1;
    }
    for (size_t i = 0; i < sizeof restarts / sizeof *restarts; i++) {
        _cleanup_(facts_close_key) struct registry_key *restart = facts_key(collection, restarts[i]);
        if (restart != NULL)
            collection->facts->reboot_pending = true;
    }
    return 0;
}

static int compare_hotfixes(const void *a, const void *b)
{
    const Evenkeel__Hotfix *x = *(void *const *)a, *y = *(void *const *)b;
    int order = facts_compare(x->id, y->id);
    order = order != 0 ? order : facts_compare(x->source, y->source);
    order = order != 0 ? order : facts_compare(x->service_pack, y->service_pack);
    order = order != 0 ? order : facts_compare(x->install_date, y->install_date);
    return order != 0 ? order : facts_compare(x->product, y->product);
}

static int compare_states(const void *a, const void *b)
{
    const Evenkeel__ServicingState *x = *(void *const *)a, *y = *(void *const *)b;
    int order = facts_compare(x->package, y->package);
    return order != 0 ? order : (x->state > y->state) - (x->state < y->state);
}

int facts_collect_hotfixes(struct collection *collection, struct error *error)
{
    Evenkeel__Facts *facts = collection->facts;
    if (collect_hotfix_key(collection, error) == -1 || collect_updates_keys(collection, error) == -1 ||
        collect_servicing(collection, error) == -1)
        return -1;
    facts_sort(&facts->n_hotfixes, &facts->hotfixes, compare_hotfixes);
    facts_sort(&facts->n_servicing_states, &facts->servicing_states, compare_states);
    return 0;
}
