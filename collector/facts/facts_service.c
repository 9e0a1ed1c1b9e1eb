/* A host's services and drivers, and the files they run from. */

#include "facts_build.h"
#include "proto/cleanup.h"

/* Services of svchost.exe name their DLL below Parameters, a few of Windows 10 beside it. */
static char *service_dll(struct collection *collection, struct registry_key *key)
{
    _cleanup_(facts_close_key) struct registry_key *parameters = facts_key_in(collection, key, "Parameters");
    char *dll = parameters == NULL ? NULL : facts_string(collection, parameters, "ServiceDll");
    return dll != NULL ? dll : facts_string(collection, key, "ServiceDll");
}

static int add_service(struct collection *collection, struct registry_key *key, struct error *error)
{
    uint32_t start, type;

    /* Many keys beside the services hold settings only; what has no type and start can't be started. */
    if (!facts_number(collection, key, "Type", &type) || !facts_number(collection, key, "Start", &start))
        return 0;
    _cleanup_free_ char *image_path = facts_string(collection, key, "ImagePath");
    _cleanup_free_ char *dll = service_dll(collection, key);
    Evenkeel__Service *service = malloc(sizeof *service);
    if (service == NULL)
        return facts_out_of_memory(error);
    evenkeel__service__init(service);
    service->start = start;
    service->type = type;
    if (facts_set(collection, &service->name, registry_key_name(key), error) == -1 ||
        facts_set(collection, &service->image_path, image_path, error) == -1 ||
        facts_set(collection, &service->service_dll, dll, error) == -1) {
        evenkeel__service__free_unpacked(service, NULL);
        return -1;
    }
    return facts_append(collection, "services", &collection->facts->n_services, &collection->facts->services,
                        &service->base, error);
}

static int compare_services(const void *a, const void *b)
{
    const Evenkeel__Service *x = *(void *const *)a, *y = *(void *const *)b;
    int order = facts_compare(x->name, y->name);
    order = order != 0 ? order : (x->start > y->start) - (x->start < y->start);
    order = order != 0 ? order : (x->type > y->type) - (x->type < y->type);
    order = order != 0 ? order : facts_compare(x->image_path, y->image_path);
    return order != 0 ? order : facts_compare(x->service_dll, y->service_dll);
}

int facts_collect_services(struct collection *collection, struct error *error)
{
    _cleanup_(facts_close_key) struct registry_key *key = facts_key(collection, "SYSTEM\\CurrentControlSet\\Services");

    for (size_t i = 0; key != NULL; i++) {
        _cleanup_(facts_close_key) struct registry_key *child = NULL;
        if (facts_child(collection, key, i, &child) == 0)
            break;
        if (child != NULL && add_service(collection, child, error) == -1)
            return -1;
    }
    facts_sort(&collection->facts->n_services, &collection->facts->services, compare_services);
    return 0;
}
