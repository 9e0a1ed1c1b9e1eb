-- A host of thirty thousand services took a whole turn of all who were judged with it before it was known to be slow; one whose file
-- imports twenty thousand names, nearly so.
insert into evenkeel.setting (name, value, meaning) values
    ('judge.big-facts', '500000', 'Hosts of more bytes of facts are judged apart from the others without being tried.'),
    ('judge.big-import', '5000', 'Hosts with a new file that imports more names of one DLL are tried apart from the others.');
