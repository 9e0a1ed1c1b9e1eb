-- What /healthz goes by.

insert into evenkeel.setting (name, value, meaning) values
    ('judge.late', '30 minutes', 'Where a host waits longer to be judged, /healthz says so and answers 503.');
