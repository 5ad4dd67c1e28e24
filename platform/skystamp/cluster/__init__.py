"""Everything that needs Ray: data, studies, archive scoring. Each submodule costs seconds to import."""
