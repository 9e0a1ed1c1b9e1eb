-- Findings that a person accepts for a time.

create or replace function evenkeel.waive(waived_host text, waived_check text, waived_subject text, because text, ends timestamptz,
                                          person text default null)
returns integer language plpgsql
as $$
declare
    host uuid := evenkeel.waiver_host(waived_host);
    waived integer;
begin
    perform evenkeel.waiver_check(waived_check);
    perform evenkeel.waiver_terms(because, ends);
    insert into evenkeel.waiver as w (host_id, check_code, subject, reason, until, waived_by)
    select f.host_id, f.check_code, f.subject, trim(because), ends, coalesce(nullif(trim(person), ''), session_user)
    from evenkeel.finding f
    where f.host_id = host and f.check_code = waived_check and f.closed_at = 'infinity'
      and (waived_subject is null or f.subject = waived_subject)
    on conflict (host_id, check_code, subject) do update
        set reason = excluded.reason, until = excluded.until, waived_by = excluded.waived_by, waived_at = now();
    get diagnostics waived = row_count;
    if waived = 0 then
        raise exception 'host ''%'' has no open finding of %', waived_host,
            waived_check || coalesce(' on ''' || waived_subject || '''', '')
                || coalesce('; it has it on ' || (select string_agg('''' || f.subject || '''', ', ' order by f.subject)
                                                  from evenkeel.finding f
                                                  where f.host_id = host and f.check_code = waived_check and f.closed_at = 'infinity'), '')
            using errcode = 'no_data_found';
    end if;
    return waived;
end
$$;
comment on function evenkeel.waive(text, text, text, text, timestamptz, text) is
  'Accepts the open findings of a check on a host (of one subject, or null: all) until a time, for a reason, by a person (null: the '
  'login); returns how many.';

create or replace function evenkeel.unwaive(waived_host text, waived_check text, waived_subject text)
returns integer language plpgsql
as $$
declare
    host uuid := evenkeel.waiver_host(waived_host);
    removed integer;
begin
    perform evenkeel.waiver_check(waived_check);
    delete from evenkeel.waiver w
    where w.host_id = host and w.check_code = waived_check and (waived_subject is null or w.subject = waived_subject);
    get diagnostics removed = row_count;
    if removed = 0 then
        raise exception 'nothing of % is waived on host ''%''; ''evenkeel waive list'' tells what is',
            waived_check || coalesce(' on ''' || waived_subject || '''', ''), waived_host using errcode = 'no_data_found';
    end if;
    return removed;
end
$$;
comment on function evenkeel.unwaive(text, text, text) is 'Ends waivers at once; returns how many.';

create or replace function evenkeel.waiver_host(named text)
returns uuid language sql stable
as $$ select case when named is not null then evenkeel.present_host(named) end $$;
comment on function evenkeel.waiver_host(text) is
  'The host of that name or host_id; an error where there is none, or more than one. Null: none is named.';

create or replace function evenkeel.waiver_terms(because text, ends timestamptz)
returns void language plpgsql stable
as $$
begin
    if coalesce(trim(because), '') = '' then
        raise exception 'a waiver needs a reason: someone will ask for it' using errcode = 'invalid_parameter_value';
    end if;
    if not isfinite(ends) then
        raise exception 'a waiver needs an end: name the day on which it is to be looked at again'
            using errcode = 'invalid_parameter_value';
    elsif ends <= now() then
        raise exception 'the waiver would end at %, which is not in the future', to_char(ends, 'YYYY-MM-DD HH24:MI TZ')
            using errcode = 'invalid_parameter_value';
    end if;
end
$$;
comment on function evenkeel.waiver_terms(text, timestamptz) is 'An error where a waiver has no reason, or no end in the future.';

create or replace function evenkeel.waiver_check(named text)
returns void language plpgsql stable
as $$
begin
    if not exists (select from evenkeel.check_definition where code = named) then
        raise exception 'there is no check ''%''; there are %', named, (select string_agg(code, ', ' order by code)
          from evenkeel.check_definition)
            using errcode = 'no_data_found';
    end if;
end
$$;
comment on function evenkeel.waiver_check(text) is 'An error where there is no check of that name.';

create or replace function evenkeel.waiver_end(written text)
returns timestamptz language plpgsql stable
as $$
begin
    -- A day alone means all of it.
    return case when written ~ '^\s*\d{4}-\d{1,2}-\d{1,2}\s*$' then (written::date + 1)::timestamptz else written::timestamptz end;
exception when datetime_field_overflow or invalid_datetime_format or invalid_text_representation then
    raise exception '''%'' is no date: 2030-12-31 is one, or 2030-12-31 18:00', written using errcode = 'invalid_parameter_value';
end
$$;
comment on function evenkeel.waiver_end(text) is 'When what holds until that day, or time, ends: a waiver, or an enrolment token.';
