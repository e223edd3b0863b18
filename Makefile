# One entry a habit.
.PHONY: check test fuzz gallery ablation
check:
	ruff format --check .
	ruff check .
	mypy

test:
	pytest -m 'not slow'

# Damaged files of every kind that is read, in child processes; a few minutes.
fuzz:
	python -m tests.fuzz --inputs 20000 --seed 1

# The documents' pictures. The README's come from a model that comes with kerasgan; the ablation's from
# two times twelve trainings on FER2013, fer2013.csv, which take hours and go on where they were interrupted.
gallery:
	python docs/make_pictures.py

ablation:
	kerasgan compare --config docs/ablation.toml --data fer2013.csv --limit 8000 --epochs 6 \
	  --adversarial-weight 0 --adversarial-weight 0.001 --adversarial-weight 0.01 \
	  --adversarial-weight 0.1 --seed 0 --seed 1 --seed 2 --output runs/ablation
	python docs/make_ablation.py runs/ablation docs/ablation.png
	kerasgan compare --config docs/ablation-dense.toml --data fer2013.csv --limit 2400 \
	  --adversarial-weight 0 --adversarial-weight 0.6 --adversarial-weight 1.8 --adversarial-weight 5.4 \
	  --measure-at 0.7 --measure-at 0.9 --test-images 300 --output runs/ablation-dense
	python docs/make_ablation.py runs/ablation-dense docs/ablation-dense.png
