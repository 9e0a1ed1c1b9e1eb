/* Which Windows a host runs, and what tells it from its copies. */

#include "collector/platform/platform.h"
#include "facts_build.h"
#include "facts_time.h"
#include "proto/cleanup.h"

#include <stdio.h>

/* The value `name` of `key` into *field. */
static int set_from(struct collection *collection, struct registry_key *key, const char *name,
                    ProtobufCBinaryData *field, struct error *error)
{
    _cleanup_free_ char *text = facts_string(collection, key, name);
    return facts_set(collection, field, text, error);
}

/* CurrentBuild of old systems is a sentence of its own; CurrentBuildNumber is the number on all. */
static uint32_t build_number(struct collection *collection, struct registry_key *key)
{
    static const char *const names[] = {"CurrentBuildNumber", "CurrentBuild"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        _cleanup_free_ char *text = facts_string(collection, key, names[i]);
        unsigned number;
        int end = 0;
        if (text != NULL && sscanf(text, "%9u%n", &number, &end) == 1 && text[end] == 0)
            return number;
    }
    return 0;
}

static int collect_version(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion");
    Evenkeel__Facts *facts = collection->facts;
    uint32_t major, minor, installed;

    if (key == NULL)
        return 0;
    facts->current_build = build_number(collection, key);
    facts->has_ubr = facts_number(collection, key, "UBR", &facts->ubr);
    if (facts_number(collection, key, "InstallDate", &installed))
        facts->install_time = (int64_t)installed * 1000000;
    /* From Windows 10 on CurrentVersion says 6.3 for ever. */
    if (facts_number(collection, key, "CurrentMajorVersionNumber", &major)) {
        char version[32];
        facts_number(collection, key, "CurrentMinorVersionNumber", &minor);
        snprintf(version, sizeof version, "%u.%u", major, minor);
        if (facts_set(collection, &facts->current_version, version, error) == -1)
            return -1;
    } else if (set_from(collection, key, "CurrentVersion", &facts->current_version, error) == -1) {
        return -1;
    }
    if (set_from(collection, key, "ProductName", &facts->product_name, error) == -1 ||
        set_from(collection, key, "EditionID", &facts->edition, error) == -1 ||
        set_from(collection, key, "InstallationType", &facts->installation_type, error) == -1 ||
        set_from(collection, key, "DisplayVersion", &facts->display_version, error) == -1)
        return -1;
    if (facts->display_version.len == 0 && set_from(collection, key, "ReleaseId", &facts->display_version, error) == -1)
        return -1;
    return set_from(collection, key, "CSDVersion", &facts->service_pack, error);
}

/* SYSTEM says the service pack as a number, 0x200 the second: what SOFTWARE says, or does not, depends on language. */
static int collect_service_pack(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key = NULL;
    uint32_t number;
    char text[40];

    key = facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Windows");
    if (key == NULL || !facts_number(collection, key, "CSDVersion", &number) || (number >> 8 & 0xff) == 0)
        return 0;
    collection->facts->service_pack_number = number & 0xffff;
    if (collection->facts->service_pack.len > 0)
        return 0;
    snprintf(text, sizeof text, "Service Pack %u", number >> 8 & 0xff);
    return facts_set(collection, &collection->facts->service_pack, text, error);
}

/* A DWORD of a key that may not be there; 0 where it is not. */
static uint32_t number_at(struct collection *collection, const char *path, const char *name)
{
    _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, path);
    uint32_t number = 0;
    if (key != NULL)
        facts_number(collection, key, name, &number);
    return number;
}

/* Whether hotpatches are meant for the host; without virtualization-based security none is offered. */
static int collect_hotpatch(struct collection *collection, struct error *error)
{
    static const char *const packages[] = {"amd64", "arm64"};
    if (number_at(collection, "SYSTEM\\CurrentControlSet\\Control\\DeviceGuard", "EnableVirtualizationBasedSecurity") ==
        0)
        return 0;
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
        char path[128];
        snprintf(
            path, sizeof path,
            "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Update\\TargetingInfo\\DynamicInstalled\\Hotpatch.%s",
            packages[i]);
        _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, path);
        _cleanup_free_ char *name = key == NULL ? NULL : facts_string(collection, key, "Name");
        if (name != NULL &&
            number_at(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management",
                      "HotPatchTableSize") != 0)
            return facts_set(collection, &collection->facts->hotpatch, "enrolled", error);
    }
    if (collection->facts->product_type == EVENKEEL__PRODUCT_TYPE__WORKSTATION &&
        number_at(collection, "SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\Update",
                  "AllowRebootlessUpdates") == 1)
        return facts_set(collection, &collection->facts->hotpatch, "allowed", error);
    return 0;
}

static void collect_product_type(struct collection *collection)
{
    static const struct {
        const char *name;
        Evenkeel__ProductType type;
    } types[] = {
        {"winnt", EVENKEEL__PRODUCT_TYPE__WORKSTATION},
        {"servernt", EVENKEEL__PRODUCT_TYPE__SERVER},
        {"lanmannt", EVENKEEL__PRODUCT_TYPE__DOMAIN_CONTROLLER},
    };
    _cleanup_(facts_close_key) struct registry_key *key =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\ProductOptions");
    _cleanup_free_ char *text = key == NULL ? NULL : facts_string(collection, key, "ProductType");

    if (text == NULL)
        return;
    facts_lower(text);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(text, types[i].name) == 0)
            collection->facts->product_type = types[i].type;
}

static int collect_machine(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *name =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName");
    _cleanup_(facts_close_key) struct registry_key *environment =
        facts_key(collection, "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment");
    _cleanup_(facts_close_key) struct registry_key *cryptography =
        facts_key(collection, "SOFTWARE\\Microsoft\\Cryptography");
    Evenkeel__Facts *facts = collection->facts;

    if (name != NULL && set_from(collection, name, "ComputerName", &facts->computer_name, error) == -1)
        return -1;
    if (environment != NULL &&
        set_from(collection, environment, "PROCESSOR_ARCHITECTURE", &facts->architecture, error) == -1)
        return -1;
    if (cryptography == NULL)
        return 0;
    _cleanup_free_ char *guid = facts_string(collection, cryptography, "MachineGuid");
    if (guid == NULL)
        return 0;
    facts_lower(guid);
    collection->times->machine_guid = registry_key_written(cryptography);
    return facts_set(collection, &facts->machine_guid, guid, error);
}

/*
 * The last twelve bytes of the account domain's V are the machine's part of every local account's SID. SAM is closed to
 * all but the system itself: where it can't be opened there is simply no SID, and no problem.
 */
static int collect_sid(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key = NULL;
    _cleanup_(registry_value_clear) struct registry_value value = {0};
    uint32_t parts[3];
    char sid[64];

    if (collection->live && platform_machine_sid(sid, sizeof sid) == 1)
        return facts_set(collection, &collection->facts->machine_sid, sid, error);
    if (registry_key_open(collection->registry, "SAM\\SAM\\Domains\\Account", &key, NULL) != 1 &&
        registry_key_open(collection->registry, "SAM\\Domains\\Account", &key, NULL) != 1)
        return 0;
    if (registry_value_read(key, "V", &value, NULL) != 1 || value.length < sizeof parts)
        return 0;
    struct bytes data = bytes_of(value.data, value.length);
    for (size_t i = 0; i < 3; i++)
        bytes_u32(data, value.length - sizeof parts + i * sizeof *parts, &parts[i]);
    if (parts[0] == 0 && parts[1] == 0 && parts[2] == 0)
        return 0; /* an account domain that was never set up */
    snprintf(sid, sizeof sid, "S-1-5-21-%u-%u-%u", parts[0], parts[1], parts[2]);
    return facts_set(collection, &collection->facts->machine_sid, sid, error);
}

static int collect_clone_tag(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, "SYSTEM\\Setup");
    _cleanup_free_ char *tag = key == NULL ? NULL : facts_string(collection, key, "CloneTag");

    if (tag == NULL)
        return 0;
    collection->facts->clone_time = facts_time_of_clone_tag(tag);
    return facts_set(collection, &collection->facts->clone_tag, tag, error);
}

static void collect_inetstp(struct collection *collection)
{
    _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, "SOFTWARE\\Microsoft\\InetStp");
    if (key == NULL)
        return;
    facts_number(collection, key, "MajorVersion", &collection->facts->inetstp_major);
    facts_number(collection, key, "MinorVersion", &collection->facts->inetstp_minor);
}

/* Which release of .NET Framework 4 is there: its versions share a folder, and their updates a range of numbers. */
static void collect_dotnet(struct collection *collection)
{
    uint32_t release = number_at(collection, "SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full", "Release");
    collection->facts->dotnet_release = release <= INT32_MAX ? release : 0;
}

int facts_collect_system(struct collection *collection, struct error *error)
{
    collect_product_type(collection);
    collect_inetstp(collection);
    collect_dotnet(collection);
    if (collect_version(collection, error) == -1 || collect_service_pack(collection, error) == -1 ||
        collect_hotpatch(collection, error) == -1 || collect_machine(collection, error) == -1 ||
        collect_sid(collection, error) == -1)
        return -1;
    return collect_clone_tag(collection, error);
}
