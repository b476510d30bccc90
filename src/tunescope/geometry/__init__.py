"""How alike two models' representations are, without any label: CKA, Procrustes, neighbours."""
