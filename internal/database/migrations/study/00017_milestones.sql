-- +goose Up
-- studies: what a study plans to have done by when; days of the study's zone as 2006-01-02, '' where it is not planned.
alter table study add column interviews_by text not null default '';  -- the last day of interviews
alter table study add column survey_opens text not null default '';   -- first day of the survey
alter table study add column survey_closes text not null default '';  -- its last day

-- recruitment: the forecast reads the ways of those who were asked, never the candidates who wait.
create index participant_moved on participant (study_id, person_id) where events > 0 or state <> 'candidate';
create index participant_change_study on participant_change (study_id, person_id, seq);
create index contact_log_study on contact_log (study_id, person_id, at);

-- +goose Down
drop index contact_log_study;
drop index participant_change_study;
drop index participant_moved;
alter table study drop column survey_closes;
alter table study drop column survey_opens;
alter table study drop column interviews_by;
