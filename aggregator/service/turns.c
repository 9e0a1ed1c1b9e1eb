/* Whose requests took much of the writer's time. */

#include "turns.h"

/* What is left of it: half for each TURNS_HALF that passed. */
static int64_t left_of(const struct turn *turn, int64_t now)
{
    int64_t halves = (now - turn->at) / TURNS_HALF;
    return halves < 62 ? turn->taken >> halves : 0;
}

static struct turn *turn_of(struct turns *turns, const struct digest *sender, int64_t now)
{
    struct turn *least = turns->list;
    for (size_t i = 0; i < turns->count; i++) {
        if (digest_equal(&turns->list[i].sender, sender))
            return &turns->list[i];
        if (left_of(&turns->list[i], now) < left_of(least, now))
            least = &turns->list[i];
    }
    struct turn *turn = turns->count < TURNS_SENDERS ? &turns->list[turns->count++] : least;
    *turn = (struct turn){.sender = *sender, .at = now};
    return turn;
}

void turns_charge(struct turns *turns, const struct digest *sender, int64_t took, int64_t now)
{
    struct turn *turn = turn_of(turns, sender, now);
    turn->taken = left_of(turn, now) + took;
    turn->at += (now - turn->at) / TURNS_HALF * TURNS_HALF;
    if (turn->taken <= TURNS_FREE)
        return;
    int64_t rest = TURNS_REST * took;
    turn->rests_until = now + (rest < TURNS_REST_MOST ? rest : TURNS_REST_MOST);
}

int64_t turns_rest(const struct turns *turns, const struct digest *sender, int64_t now)
{
    for (size_t i = 0; i < turns->count; i++)
        if (digest_equal(&turns->list[i].sender, sender))
            return turns->list[i].rests_until > now ? turns->list[i].rests_until : 0;
    return 0;
}
