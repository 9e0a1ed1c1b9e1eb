-- Windows 7 has fewer API sets than later ones, which were all taken for its own: what imports others is missing there, unless it lies
-- there as a file. (The function is newer than this file; which names are those of Windows 7 is told there.)

update evenkeel.import_need set api_set_from = 602
where api_set_from = 601
  and dll !~ ('^api-ms-win-(core-(console|datetime|debug|delayload|errorhandling|fibers|file|handle|heap|interlocked|io|libraryloader|'
              || 'localization|localregistry|memory|misc|namedpipe|processenvironment|processthreads|profile|rtlsupport|string|synch|'
              || 'sysinfo|threadpool|ums|util|xstate)-l1|security-(base|lsalookup|sddl)-l1|service-(core|management|winsvc)-l1|'
              || 'service-management-l2)-1-0\.dll$');
insert into evenkeel.judge_queue (host_id) select host_id from evenkeel.host_inventory_current on conflict do nothing;
