-- Asking all cells at once. Each is asked over a connection of its own and waited for until one time limit, so that one that is gone,
-- hangs or refuses costs itself and nothing else; what it leaves is said in its place. dblink is asynchronous and fails per connection:
-- a foreign table (postgres_fdw) or a PL/Proxy function fails as a whole when one of its servers does.

create or replace function evenkeel.is_fleet()
returns boolean language sql stable
as $$
    select exists (select from pg_catalog.pg_attribute a
                   where a.attrelid = to_regclass('ops.host') and a.attname = 'cell' and not a.attisdropped)
$$;
comment on function evenkeel.is_fleet() is 'Whether this is a fleet database: its ops views ask cells, and it holds no host itself.';

create or replace function evenkeel.cell_dsn(dsn text, seconds integer)
returns text language sql stable
as $$
    select format('%s %s application_name=evenkeel-fleet options=''-c statement_timeout=%s -c datestyle=ISO -c timezone=%s''',
                  case when dsn ~ '(^|\s)connect_timeout\s*=' then '' else 'connect_timeout=3' end, dsn, seconds * 1000,
                  case when z.zone ~ '^[A-Za-z0-9_/+-]+$' then z.zone else 'UTC' end)
    from current_setting('TimeZone') z (zone)
$$;
comment on function evenkeel.cell_dsn(text, integer) is
    'A cell''s connection string with what each connection has: a time limit for its statements, and the session''s time zone.';

create or replace function evenkeel.at_schema(wanted integer)
returns boolean language plpgsql stable
as $$
begin
    if evenkeel.schema_version() <> wanted then
        raise exception 'it is at schema %, the fleet database at %: run ''evenkeel init'' of one version on both',
            evenkeel.schema_version(), wanted;
    end if;
    return true;
end
$$;
comment on function evenkeel.at_schema(integer) is
    'True, or an error where this database is not at that schema: its answers may mean others.';

create or replace function evenkeel.cell_error(message text)
returns text language sql immutable parallel safe
as $$ select left(btrim(message), 300) || case when length(btrim(message)) > 300 then '...' else '' end $$;
comment on function evenkeel.cell_error(text) is
    'The beginning of what a cell says is wrong, which may be of any length: it stands beside each of its hosts.';

create or replace function evenkeel.cell_send(connection text, cell evenkeel.cell, query text, seconds integer)
returns text language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    down text := current_setting('evenkeel.down_' || md5(cell.name), true);
begin
    -- A connection that can't be had costs its time limit: not once for every panel of a dashboard.
    if split_part(coalesce(down, ''), ' ', 1) <> '' and extract(epoch from clock_timestamp()) < split_part(down, ' ', 1)::numeric then
        return substr(down, strpos(down, ' ') + 1);
    end if;
    begin
        perform dblink_connect_u(connection, evenkeel.cell_dsn(cell.dsn, seconds));
        perform dblink_send_query(connection, format('select * from (%s) q where evenkeel.at_schema(%s)', query,
                                                     evenkeel.schema_version()));
        return null;
    exception when others then
        declare
            why text;
        begin
            get stacked diagnostics why = pg_exception_detail;
            why := evenkeel.cell_error(regexp_replace(btrim(split_part(coalesce(nullif(why, ''), sqlerrm), E'\n', 1)),
                                                      '^connection to server .* failed: ', ''));
            perform set_config('evenkeel.down_' || md5(cell.name), extract(epoch from clock_timestamp()) + 15 || ' ' || why, false);
            return why;
        end;
    end;
end
$$;
comment on function evenkeel.cell_send(text, evenkeel.cell, text, integer) is
    'Opens a connection of that name to a cell and sends it a query; why that failed, or null. One that failed is not tried again for 15 '
    'seconds of the same session.';

create or replace function evenkeel.is_sound(shape regtype, answer jsonb)
returns boolean language plpgsql immutable
as $$
declare
    most constant numeric := 10000000; -- hosts of one cell
    wrong text;
begin
    if shape = 'evenkeel.cell_answer'::regtype then
        wrong := case
            when answer ->> 'identity' is null then 'identity'
            when not coalesce((answer ->> 'hosts')::numeric between 0 and most and least((answer ->> 'level')::numeric,
                              (answer ->> 'mixed')::numeric, (answer ->> 'unknown')::numeric) >= 0
                              and (answer ->> 'level')::numeric + (answer ->> 'mixed')::numeric + (answer ->> 'unknown')::numeric
                                  = (answer ->> 'hosts')::numeric, false) then 'hosts'
            when not coalesce(jsonb_typeof(answer -> 'products') = 'object'
                              and not jsonb_path_exists(answer, '$.products.* ? (@.type() != "number" || @ < 0 || @ > 10000000)'), false)
              then 'products' end;
    elsif shape = 'evenkeel.cell_identity'::regtype and answer ->> 'hosts' is not null then
        wrong := case
            when not coalesce(jsonb_typeof(answer -> 'hosts') = 'array' and jsonb_array_length(answer -> 'hosts') <= 100
                              and not jsonb_path_exists(answer, 'strict $.hosts[*] ? (@.type() != "object")'), false) then 'hosts'
            when not coalesce((answer ->> 'owners')::numeric >= 0 and (answer ->> 'others')::numeric >= 0
                              and (answer ->> 'sharers')::numeric between 0 and most, false) then 'sharers' end;
    end if;
    if wrong is not null then
        raise exception 'its answer is not as it should be: %', wrong;
    end if;
    return true;
end
$$;
comment on function evenkeel.is_sound(regtype, jsonb) is
    'True, or an error where what a cell answers can''t be worked with: hosts that are no number, or no list. What is kept of it, and what '
    'others are told, is taken from sound answers alone.';

create or replace function evenkeel.of_cells(query text, shape anyelement, absent text default null, seconds integer default 20,
                                            chosen text[] default null)
returns setof anyelement language plpgsql security definer set search_path = evenkeel, pg_catalog, pg_temp
as $$
declare
    columns text;
    asked evenkeel.cell;
    waiting evenkeel.cell[] := '{}';
    still evenkeel.cell[];
    lost evenkeel.cell[] := '{}';
    why text;
    place text;
    answers integer := 0;
    nothing text;
    deadline timestamptz;
begin
    select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) into columns
    from pg_attribute a join pg_type t on t.typrelid = a.attrelid
    where t.oid = pg_typeof(shape) and a.attnum > 0 and not a.attisdropped and a.attname <> 'cell';
    for asked in
        select * from evenkeel.cell c where chosen is null or c.name = any (chosen)
        order by coalesce(current_setting('evenkeel.down_' || md5(c.name), true), '') <> '', c.error is not null, c.name
    loop
        why := evenkeel.cell_send('cell ' || asked.name, asked, query, seconds);
        asked.error := why;
        if why is null then
            waiting := waiting || asked;
        else
            lost := lost || asked;
        end if;
    end loop;
    deadline := clock_timestamp() + make_interval(secs => seconds);
    while cardinality(waiting) > 0 loop
        still := '{}';
        foreach asked in array waiting loop
            if dblink_is_busy('cell ' || asked.name) = 1 and clock_timestamp() < deadline then
                still := still || asked;
                continue;
            end if;
            begin
                if clock_timestamp() >= deadline and dblink_is_busy('cell ' || asked.name) = 1 then
                    raise exception 'no answer within % seconds', seconds;
                end if;
                return query execute format('select t.*, %L::text from evenkeel.dblink_get_result(%L) t (%s)', asked.name,
                                            'cell ' || asked.name, columns)
                                     || case when pg_typeof(shape) in ('evenkeel.cell_answer'::regtype, 'evenkeel.cell_identity'::regtype)
                                             then format(' where evenkeel.is_sound(%L, to_jsonb(t))', pg_typeof(shape)) else '' end;
                answers := answers + 1;
            exception
                when no_data_found then
                    nothing := sqlerrm;
                -- 'others' takes in neither a statement that was cancelled nor a failed assertion. Where a cell tells of one of its own,
                -- that is its loss; where this session's statement is cancelled, it ends.
                when others or query_canceled or assert_failure then
                    get stacked diagnostics place = pg_exception_context;
                    if sqlstate = '57014' and place !~ 'on dblink connection named' then
                        raise;
                    end if;
                    asked.error := evenkeel.cell_error(sqlerrm);
                    lost := lost || asked;
            end;
            perform dblink_disconnect('cell ' || asked.name);
        end loop;
        waiting := still;
        if cardinality(waiting) > 0 then
            perform pg_sleep(0.003);
        end if;
    end loop;
    -- What a cell says is not there may be in another.
    if answers = 0 and nothing is not null and cardinality(lost) = 0 then
        raise exception '%', nothing using errcode = 'no_data_found';
    end if;
    foreach asked in array lost loop
        raise warning 'cell % does not answer: %', asked.name, asked.error;
        return query select (jsonb_populate_record(shape, a.line)).* from evenkeel.absent_lines(absent, asked) a (line);
    end loop;
exception when others or query_canceled then
    perform dblink_disconnect(c.connection) from unnest(dblink_get_connections()) c (connection) where c.connection like 'cell %';
    raise;
end
$$;
comment on function evenkeel.of_cells(text, anyelement, text, integer, text[]) is
    'The rows that a query gives in every cell, or in those named, as `shape`, the last column of which is the cell. All work at a time. A '
    'cell that does not answer in time costs that time; `absent` says what stands in its place.';
revoke execute on function evenkeel.of_cells(text, anyelement, text, integer, text[]) from public;
revoke execute on function evenkeel.cell_send(text, evenkeel.cell, text, integer) from public;

create or replace function evenkeel.absent_text(cell evenkeel.cell)
returns text language sql immutable
as $$
    select format('cell %s does not answer: %s; %s', cell.name, cell.error,
                  case when cell.hosts is null then 'how many hosts it has is not known'
                       else 'its ' || evenkeel.counted(cell.hosts, 'host is', 'hosts are') || ' unknown' end)
$$;
comment on function evenkeel.absent_text(evenkeel.cell) is 'What is said of a cell that does not answer, its error being why.';

create or replace function evenkeel.absent_lines(kind text, cell evenkeel.cell)
returns setof jsonb language sql stable
as $$
    select jsonb_build_object('cell', cell.name) || l.line
    from (
        -- As many as it had: whoever counts hosts counts them.
        select jsonb_build_object('host', format('(a host of cell %s)', cell.name), 'verdict', 'unknown',
                                  'missing', evenkeel.absent_text(cell), 'pending', false) as line
        from generate_series(1, greatest(cell.hosts, 1)) where kind = 'host'
        union all
        select jsonb_build_object('host', format('(cell %s)', cell.name), 'check_name', 'silent-cell', 'subject', cell.name,
                                  'severity', 'high', 'summary', evenkeel.absent_text(cell),
                                  'evidence', jsonb_build_object('hosts', cell.hosts, 'error', cell.error), 'opened_at', cell.answered_at)
        where kind = 'finding'
        union all
        select jsonb_build_object('night', n.night, 'product', p.key, 'hosts', p.value, 'level', 0, 'mixed', 0, 'unknown', p.value,
                                  'silent', 0)
        from jsonb_each(cell.products) p cross join evenkeel.past_nights(92) n where kind = 'compliance'
        union all
        select jsonb_build_object('product', p.key, 'component', format('(cell %s does not answer)', cell.name), 'hosts', p.value)
        from jsonb_each(cell.products) p where kind = 'level_matrix'
        union all
        select jsonb_build_object('host', format('(a host of cell %s)', cell.name), 'verdict', 'unknown',
                                  'reason', evenkeel.absent_text(cell), 'step', '', 'findings', '[]'::jsonb, 'kept', '[]'::jsonb,
                                  'replaced', 0)
        from generate_series(1, greatest(cell.hosts, 1)) where kind = 'risk'
        union all
        select jsonb_build_object('error', cell.error, 'hosts', cell.hosts, 'says', evenkeel.absent_text(cell)) where kind = 'answer'
    ) l
$$;
comment on function evenkeel.absent_lines(text, evenkeel.cell) is
    'What stands in the place of a cell''s rows where it does not answer, its error being why: its hosts as last counted, unknown.';
