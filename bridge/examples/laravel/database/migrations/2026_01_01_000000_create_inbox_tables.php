<?php
/**
 * WhatsApp accounts, people, chats and messages, each unique by what names it in WhatsApp. Moments are Unix seconds.
 * `position` is the place in the hub's stream of events that a record shows.
 */

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('inbox_sessions', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100)->unique();
            // Null while only chats of the account arrived and not yet the account itself.
            $table->string('session_name')->nullable();
            $table->string('status', 20)->default('disconnected');
            $table->string('state', 40)->default('');
            $table->boolean('is_connected')->default(false);
            $table->string('phone_number', 40)->nullable();
            $table->integer('hub_id')->nullable();
            $table->string('last_activity', 40)->nullable();
            $table->text('reason')->nullable();
            $table->integer('total_contacts')->default(0);
            $table->integer('total_chats')->default(0);
            $table->integer('total_messages')->default(0);
            $table->string('last_sync', 40)->nullable();
            $table->bigInteger('writes')->default(0);
            $table->bigInteger('position')->nullable();
        });

        Schema::create('inbox_contacts', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100);
            $table->string('contact_id', 140);
            $table->string('phone', 40)->nullable();
            foreach (['name', 'pushname', 'short_name', 'verified_name', 'picture_url'] as $column) {
                $table->string($column, 140)->nullable();
            }
            $table->text('about')->nullable();
            $table->boolean('is_user')->default(true);
            $table->boolean('is_group')->default(false);
            $table->boolean('is_my_contact')->default(false);
            $table->boolean('is_blocked')->default(false);
            $table->boolean('is_enterprise')->default(false);
            $this->personsOwn($table);
            $table->bigInteger('position')->nullable();
            $table->unique(['session_id', 'contact_id']);
        });

        Schema::create('inbox_aliases', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100);
            $table->string('hidden_id', 140);
            $table->string('contact_id', 140);
            $table->unique(['session_id', 'hidden_id']);
        });

        Schema::create('inbox_chats', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100);
            $table->string('chat_id', 140);
            $table->foreignId('contact_id')->nullable()->constrained('inbox_contacts')->nullOnDelete();
            $table->string('name', 140)->nullable();
            $table->boolean('is_group')->default(false);
            $table->integer('unread_count')->default(0);
            $table->integer('total_messages')->default(0);
            $table->boolean('archived')->default(false);
            $table->boolean('pinned')->default(false);
            $table->boolean('is_muted')->default(false);
            $table->bigInteger('first_message_at')->nullable();
            $table->string('last_message_id', 140)->nullable();
            $table->mediumText('last_message_text')->nullable();
            $table->bigInteger('last_message_at')->nullable();
            $table->boolean('last_message_from_me')->default(false);
            $table->bigInteger('last_message_position')->nullable();
            // What people make of the chat: Active, Inactive, Blocked …
            $table->string('status', 20)->default('Active');
            $this->personsOwn($table);
            $table->bigInteger('position')->nullable();
            $table->unique(['session_id', 'chat_id']);
        });

        Schema::create('inbox_messages', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100);
            $table->foreignId('chat_id')->constrained('inbox_chats')->cascadeOnDelete();
            $table->string('message_id', 140);
            $table->boolean('from_me');
            // The author in a group, else empty. Two members may use one message id.
            $table->string('participant', 140)->default('');
            $table->string('sender', 140);
            $table->string('recipient', 140);
            $table->string('push_name', 140)->nullable();
            $table->string('type', 20);
            $table->mediumText('content');
            $table->mediumText('media')->nullable();
            $table->mediumText('details')->nullable();
            $table->bigInteger('timestamp');
            $table->string('quoted_message_id', 140)->nullable();
            $table->boolean('is_starred')->default(false);
            $table->boolean('is_forwarded')->default(false);
            $table->string('status', 20);
            $table->bigInteger('status_at')->nullable();
            $table->bigInteger('status_position')->nullable();
            $table->text('error')->nullable();
            $table->bigInteger('edited_at')->nullable();
            $table->bigInteger('edit_position')->nullable();
            $table->bigInteger('deleted_at')->nullable();
            $table->mediumText('reactions');
            $table->bigInteger('position')->nullable();
            $table->unique(['chat_id', 'message_id', 'from_me', 'participant'], 'inbox_messages_key');
            $table->index(['session_id', 'participant']);
            $table->index(['chat_id', 'timestamp']);
        });

        Schema::create('inbox_clients', function (Blueprint $table): void {
            $table->id();
            // Null while no directory knows the client.
            $table->string('external_id', 140)->nullable()->unique();
            $table->string('code', 140);
            $table->string('name', 140);
            $table->string('email');
            $table->string('phone', 40)->nullable();
            $table->text('address')->nullable();
            $table->text('zone')->nullable();
            $table->string('national_id', 140)->nullable()->index();
        });
    }

    /** For the people who work with the records. Nothing that arrives touches it. */
    private function personsOwn(Blueprint $table): void
    {
        $table->string('assigned_to', 140)->nullable();
        $table->string('priority', 20)->nullable();
        $table->text('notes')->nullable();
    }

    public function down(): void
    {
        foreach (['clients', 'messages', 'chats', 'aliases', 'contacts', 'sessions'] as $table) {
            Schema::dropIfExists("inbox_$table");
        }
    }
};
