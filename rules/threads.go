package rules

import (
	"context"
	"database/sql"
	"fmt"
)

// fewThreads lets one thread run all statements when the case holds no more
// than so many events: each statement takes so short that starting and awaiting
// other threads costs more than they help. restore sets back how many there are.
func fewThreads(ctx context.Context, conn *sql.Conn, small int64) (restore func(context.Context) error, err error) {
	var events, threads int64
	if err := conn.QueryRowContext(ctx, `SELECT count(*), current_setting('threads') FROM records`).Scan(&events, &threads); err != nil {
		return nil, fmt.Errorf("count the events: %w", err)
	}
	if events > small {
		return func(context.Context) error { return nil }, nil
	}
	return func(ctx context.Context) error { return setThreads(ctx, conn, threads) }, setThreads(ctx, conn, 1)
}

func setThreads(ctx context.Context, conn *sql.Conn, n int64) error {
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`SET threads = %d`, n)); err != nil {
		return fmt.Errorf("set how many threads the database has: %w", err)
	}
	return nil
}
