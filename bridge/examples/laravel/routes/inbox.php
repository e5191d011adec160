<?php
/**
 * From `routes/api.php`: `require __DIR__ . '/inbox.php';`. Routes of the API have no session, so that there is no
 * protection against cross-site forms to answer 419, and the signature takes its place.
 */

use App\Http\Controllers\InboxController;
use Illuminate\Support\Facades\Route;

Route::any('inbox/{path}', InboxController::class)->where('path', '.*');
