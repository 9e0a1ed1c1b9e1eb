-- title: a file calls what no DLL that it could load on this host exports
-- scope: host
-- reads: files, facts, imports
-- rank: 1
-- counted: can't load what it imports | can't load what they import
--
-- Judged are the files of components and of patches. Subject: the importer's path, '!', the DLL. High where it fails at load and surely;
-- medium where it fails when first called (delay import) or only if one of several DLLs is picked; low where both. Evidence:
--   importer     path and version of the file that imports
--   dll          the DLL's name as imported
--   symbols      what is not resolved: names, #5 for an ordinal; empty where the DLL itself is nowhere
--   delay        all of it is imported with delay: fails only when first called
--   definite     true: whichever DLL is picked; false: only with some of the candidates
--   candidates   the DLLs that may be picked: path, version, and what of the symbols each lacks
--   chains       where a symbol is forwarded on, of at most 20: symbol, and the steps to where it ends (path, version, forwards, to;
--                lacks, dll or circle)
with given as materialized (
    select * from evenkeel.unresolved_imports()
), symbol as (
    select host_id, importer, importer_version, dll, given.symbol, bool_and(delay) as delay,
           count(*) filter (where reason is not null) = max(contexts) as definite,
           bool_or(reason = 'circle') as circle,
           bool_or(reason = 'gone' and jsonb_array_length(chain) = 1) as gone,
           (array_agg(case when reason = 'circle' then jsonb_set(chain, '{-1,circle}', 'true') else chain end
                      order by jsonb_array_length(chain) desc, chain)
               filter (where reason is not null and jsonb_array_length(chain) > 1))[1] as chain
    from given
    group by host_id, importer, importer_version, dll, given.symbol
), candidate as (
    select host_id, importer, dll,
           jsonb_agg(jsonb_build_object('path', path, 'version', version_text(version), 'lacks', lacks)
                     order by cardinality(lacks) desc, path) as list,
           string_agg(path || coalesce(' ' || version_text(version), ''), ' and ' order by path) filter (where lacks <> '{}') as lacking,
           string_agg(path || coalesce(' ' || version_text(version), ''), ' and ' order by path) filter (where lacks = '{}') as giving
    from (select host_id, importer, dll, given.candidate as path, candidate_version as version,
                 coalesce(array_agg(distinct given.symbol order by given.symbol) filter (where reason is not null), '{}') as lacks
          from given
          where given.candidate is not null
          group by host_id, importer, dll, given.candidate, candidate_version) c
    group by host_id, importer, dll
), finding as (
    select s.host_id, s.importer, s.importer_version, s.dll, bool_and(s.delay) as delay, bool_or(s.definite) as definite,
      bool_or(s.gone) as gone,
           coalesce(array_agg(s.symbol order by s.definite desc, s.delay, s.symbol like '#%', s.symbol) filter (where s.symbol <> ''
             and not s.gone), '{}') as symbols,
           bool_or(s.definite and not s.delay) as fatal,
           jsonb_path_query_array(jsonb_agg(jsonb_build_object('symbol', s.symbol, 'steps', s.chain) order by s.symbol)
                                      filter (where s.chain is not null), '$[0 to 19]') as chains,
           (array_agg(s.chain order by s.definite desc, s.delay, s.symbol like '#%', s.symbol))[1] as first_chain,
           (array_agg(s.circle order by s.definite desc, s.delay, s.symbol like '#%', s.symbol))[1] as first_circle
    from symbol s
    group by s.host_id, s.importer, s.importer_version, s.dll
)
select f.host_id, f.importer || '!' || f.dll as subject,
       case when f.fatal then 'high' when f.definite or not f.delay then 'medium' else 'low' end as severity,
       format('%s %s %s', f.importer, version_text(f.importer_version),
              case when f.gone then format('%s %s, which is nowhere on this host', case when f.delay then 'would load'
                                           else 'needs' end, f.dll)
                   else format('%s %s!%s%s, which %s%s', case when f.delay then 'would call (delay import)'
                               when not f.definite then 'may call'
                                                              else 'imports' end,
                               f.dll, f.symbols[1],
                               case when cardinality(f.symbols) > 1 then format(' and %s more', cardinality(f.symbols) - 1) else '' end,
                               case when f.first_circle then coalesce(c.lacking, f.dll) || ' forwards in a circle'
                                    when f.first_chain is not null
                                    then format('%s forwards to %s, which %s', c.lacking, f.first_chain -> -2 ->> 'to',
                                                case when f.first_chain -> -1 ? 'dll' then 'is nowhere on this host'
                                                     else format('%s %s does not export', f.first_chain -> -1 ->> 'path',
                                                                 f.first_chain -> -1 ->> 'version') end)
                                    else c.lacking || ' does not export' end,
                               case when f.definite or c.giving is null then ''
                                 else format(' (%s does: it depends on the program that loads it)', c.giving) end)
              end) as summary,
       jsonb_build_object('importer', jsonb_build_object('path', f.importer, 'version', version_text(f.importer_version)), 'dll', f.dll,
                          'symbols', to_jsonb(f.symbols), 'delay', f.delay, 'definite', f.definite,
                          'candidates', coalesce(c.list, '[]'), 'chains', coalesce(f.chains, '[]')) as evidence
from finding f
left join candidate c using (host_id, importer, dll)
