"""Everything that needs Ray: data, studies, archive scoring. A submodule is imported where it is used; each costs seconds."""
