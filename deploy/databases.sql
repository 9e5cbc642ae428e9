-- Airflow's own database is made by the image; this is the warehouse.
CREATE DATABASE jejak;
