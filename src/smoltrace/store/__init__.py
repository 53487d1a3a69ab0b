"""The store: run directories, their journals, the finished datasets, and the leaderboard. Plain files, no database."""
